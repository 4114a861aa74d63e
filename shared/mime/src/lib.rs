//! MIME messages: parse to a view, compose, HTML to safe HTML, text for search
