//! Step 3: which files there are in `dist/` and how they refer to one another.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::bind::Bound;
use super::dist::{Asset, Dist, read_folder, short_hash};
use super::placeholder::fill;
use super::{page, policy};
use crate::workspace::Workspace;

/// Style sheets that the others build upon, in this order before them.
const FIRST_STYLES: [&str; 2] = ["tokens.css", "base.css"];
/// Files that the page does not ask for, or not by that path, so that caching them is no use.
const NOT_CACHED: [&str; 3] = ["headers.json", "index.html", "service-worker.js"];

/// A program's files in `dist/`.
pub(super) struct Program {
    /// The module that starts it.
    pub(super) js: Asset,
    /// The modules that `js` imports.
    pub(super) snippets: Vec<Asset>,
    /// The program itself.
    pub(super) wasm: Asset,
}

/// Puts everything into its place.
pub(super) fn layout(workspace: &Workspace, app: &Bound, engine: &Bound) -> Result<Dist> {
    let mut dist = Dist::default();
    let app = add_program(&mut dist, app);
    let engine = add_program(&mut dist, engine);
    let roots =
        dist.add_hashed("roots", "bin", postern_roots::pack(webpki_roots::TLS_SERVER_ROOTS));
    let worker = read(workspace, "client/engine/worker.js")?;
    let worker = add_worker(&mut dist, &worker, &engine, &roots)?;
    let style = styles(&workspace.path("client/app/style"))?;
    let style = dist.add_hashed("style", "css", style.into_bytes());
    dist.files.extend(read_folder(&workspace.path("client/app/assets"))?);

    let page = page::page(&read(workspace, "index.html")?, &style, &app, &worker)?;
    dist.files.insert("index.html".to_owned(), page.html.into_bytes());
    let headers = json!({ "content-security-policy": policy::header(&page.policy) });
    dist.files.insert("headers.json".to_owned(), format!("{headers:#}\n").into_bytes());

    let first = [&app, &engine].into_iter().flat_map(|program| {
        program.snippets.iter().chain([&program.js, &program.wasm]).map(|asset| asset.path.clone())
    });
    dist.first_load.extend(first.chain([style.path, worker.path, "index.html".to_owned()]));
    add_service_worker(&mut dist, &read(workspace, "client/app/service-worker.js")?)?;
    Ok(dist)
}

fn read(workspace: &Workspace, path: &str) -> Result<String> {
    fs::read_to_string(workspace.path(path)).with_context(|| format!("reading {path}"))
}

fn add_program(dist: &mut Dist, program: &Bound) -> Program {
    let Bound { name, js, wasm, snippets } = program;
    // Snippets may import one another by relative paths, so they keep their own names below a
    // folder that carries the hash of them all.
    let all: Vec<u8> =
        snippets.iter().flat_map(|(path, js)| [path.as_bytes(), js].concat()).collect();
    let folder = format!("snippets-{}", short_hash(&all));
    let js = js.replace("./snippets/", &format!("./{folder}/"));
    let snippets = snippets
        .iter()
        .map(|(path, js)| {
            let path = format!("assets/{folder}/{path}");
            let integrity = super::dist::integrity(js);
            dist.files.insert(path.clone(), js.clone());
            Asset { path, integrity }
        })
        .collect();
    let js = dist.add_hashed(name, "js", js.into_bytes());
    let wasm = dist.add_hashed(name, "wasm", wasm.clone());
    Program { js, snippets, wasm }
}

fn add_worker(dist: &mut Dist, template: &str, engine: &Program, roots: &Asset) -> Result<Asset> {
    let values = [
        ("ENGINE_JS", engine.js.url()),
        ("ENGINE_WASM", engine.wasm.url()),
        ("ENGINE_INTEGRITY", engine.wasm.integrity.clone()),
        ("ROOTS", roots.url()),
        ("ROOTS_INTEGRITY", roots.integrity.clone()),
    ];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    let js = fill("client/engine/worker.js", template, &values)?;
    Ok(dist.add_hashed("worker", "js", js.into_bytes()))
}

/// All style sheets in one.
fn styles(folder: &Path) -> Result<String> {
    let sheets = read_folder(folder)?;
    if sheets.is_empty() {
        bail!("there are no style sheets in {}", folder.display());
    }
    let mut names: Vec<&String> = sheets.keys().filter(|name| name.ends_with(".css")).collect();
    let rank = |name: &str| FIRST_STYLES.iter().position(|first| *first == name);
    names.sort_by_key(|name| (rank(name).unwrap_or(FIRST_STYLES.len()), name.to_owned()));
    let mut style = String::new();
    for name in names {
        let sheet = String::from_utf8(sheets[name].clone());
        style += sheet.with_context(|| format!("{name} is not UTF-8"))?.trim_end();
        style.push('\n');
    }
    Ok(style)
}

/// Adds the service worker; as its version is made of all that it caches, it is new exactly when
/// one of those files is.
fn add_service_worker(dist: &mut Dist, template: &str) -> Result<()> {
    let cached = dist.files.iter().filter(|(path, _)| !NOT_CACHED.contains(&path.as_str()));
    let mut urls: Vec<String> = cached.map(|(path, _)| format!("/{path}")).collect();
    urls.insert(0, "/".to_owned());
    let content: Vec<u8> =
        dist.files.iter().flat_map(|(path, content)| [path.as_bytes(), content].concat()).collect();
    let values = [("PRECACHE", json!(urls).to_string()), ("VERSION", short_hash(&content))];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    let js = fill("client/app/service-worker.js", template, &values)?;
    dist.files.insert("service-worker.js".to_owned(), js.into_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn bound(snippets: &[(&str, &str)]) -> Bound {
        Bound {
            name: "app".to_owned(),
            js: "import { a } from './snippets/crate-1/inline0.js';".to_owned(),
            wasm: b"\0asm".to_vec(),
            snippets: snippets
                .iter()
                .map(|(path, js)| ((*path).to_owned(), js.as_bytes().to_vec()))
                .collect::<BTreeMap<_, _>>(),
        }
    }

    #[test]
    fn imports_of_snippets_lead_to_where_the_snippets_are() {
        let mut dist = Dist::default();
        let program = add_program(&mut dist, &bound(&[("crate-1/inline0.js", "export let a;")]));
        let [snippet] = program.snippets.as_slice() else { panic!("one snippet") };
        let js = String::from_utf8(dist.files[&program.js.path].clone()).unwrap();
        let imported = js.split('\'').nth(1).unwrap().replace("./", "assets/");
        assert_eq!(imported, snippet.path);
        assert!(dist.files.contains_key(&snippet.path));
    }

    #[test]
    fn a_changed_snippet_changes_the_names_of_all_that_refer_to_it() {
        let paths = |js| {
            let mut dist = Dist::default();
            let program = add_program(&mut dist, &bound(&[("crate-1/inline0.js", js)]));
            (program.snippets[0].path.clone(), program.js.path)
        };
        let (one, other) = (paths("export let a;"), paths("export let a, b;"));
        assert!(one.0 != other.0 && one.1 != other.1);
    }

    #[test]
    fn the_service_worker_caches_the_page_and_is_new_when_a_file_is() {
        let service_worker = |icon: &str| {
            let mut dist = Dist::default();
            dist.files.insert("headers.json".to_owned(), Vec::new());
            dist.files.insert("icon.svg".to_owned(), icon.as_bytes().to_vec());
            dist.files.insert("index.html".to_owned(), Vec::new());
            add_service_worker(&mut dist, "{{PRECACHE}} {{VERSION}}").unwrap();
            String::from_utf8(dist.files["service-worker.js"].clone()).unwrap()
        };
        let one = service_worker("<svg/>");
        assert!(one.starts_with(r#"["/","/icon.svg"] "#), "{one}");
        assert_eq!(one, service_worker("<svg/>"));
        assert_ne!(one, service_worker("<svg></svg>"));
    }

    #[test]
    fn tokens_and_base_come_before_the_other_styles() {
        let folder = std::env::temp_dir().join(format!("postern-style-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for name in ["alert", "base", "reader", "tokens"] {
            fs::write(folder.join(format!("{name}.css")), format!("/* {name} */\n\n")).unwrap();
        }
        let style = styles(&folder).unwrap();
        super::super::dist::remove_folder(&folder).unwrap();
        assert_eq!(style, "/* tokens */\n/* base */\n/* alert */\n/* reader */\n");
    }
}
