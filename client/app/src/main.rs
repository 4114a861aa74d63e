//! The page's program: see the library beside it.

fn main() {
    postern_app::start();
}
