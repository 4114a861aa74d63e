//! Fills in `index.html`.

use anyhow::Result;
use serde_json::json;

use super::dist::Asset;
use super::layout::Program;
use super::placeholder::fill;
use super::policy;

/// The finished page.
pub(super) struct Page {
    /// What `/` answers.
    pub(super) html: String,
    /// Its Content-Security-Policy.
    pub(super) policy: String,
}

/// Fills in the template, so that everything loads at once and nothing loads that was changed.
///
/// The two inline scripts are allowed by their hashes. The import map comes first, since it holds
/// the hashes of modules that are imported from other modules, where no attribute can; the start
/// script is inline because a file of its own would be one more request for two lines.
pub(super) fn page(template: &str, style: &Asset, app: &Program, worker: &Asset) -> Result<Page> {
    let modules: Vec<&Asset> = [&app.js].into_iter().chain(&app.snippets).collect();
    let integrity: serde_json::Map<_, _> =
        modules.iter().map(|module| (module.url(), module.integrity.as_str().into())).collect();
    let import_map = json!({ "integrity": integrity }).to_string();
    let start = start(app);

    let mut preload = format!("<script type=\"importmap\">{import_map}</script>\n");
    for module in modules {
        preload += &format!(
            "<link rel=\"modulepreload\" href=\"{}\" integrity=\"{}\">\n",
            module.url(),
            module.integrity
        );
    }
    preload += &format!(
        "<link rel=\"preload\" href=\"{}\" as=\"fetch\" type=\"application/wasm\" crossorigin>",
        app.wasm.url()
    );
    let style = format!(
        "<link rel=\"stylesheet\" href=\"{}\" integrity=\"{}\">",
        style.url(),
        style.integrity
    );
    let policy = policy::page(&[&import_map, &start]);
    let html = fill(
        "index.html",
        template,
        &[
            ("CSP", &policy),
            ("STYLE", &style),
            ("PRELOAD", &preload),
            ("SCRIPT", &format!("<script type=\"module\">{start}</script>")),
            ("ENGINE", &worker.url()),
        ],
    )?;
    Ok(Page { html, policy })
}

/// The program is imported as the script runs: of a static import that fails no script hears.
fn start(app: &Program) -> String {
    format!(
        "import(\"{}\")\
         .then(({{ default: start }}) => \
         start({{ module_or_path: fetch(\"{}\", {{ integrity: \"{}\" }}) }}))\
         .catch((error) => {{ console.error(error);\
         document.getElementById(\"boot-failed\")?.removeAttribute(\"hidden\"); }});",
        app.js.url(),
        app.wasm.url(),
        app.wasm.integrity
    )
}

#[cfg(test)]
mod tests {
    use super::super::dist::{Dist, integrity};
    use super::*;

    const TEMPLATE: &str = r#"<meta http-equiv="Content-Security-Policy" content="{{CSP}}">
{{STYLE}}
{{PRELOAD}}
<meta name="engine" content="{{ENGINE}}">
{{SCRIPT}}"#;

    fn page() -> Page {
        let mut dist = Dist::default();
        let app = Program {
            js: dist.add_hashed("app", "js", b"js".to_vec()),
            snippets: vec![dist.add_hashed("snippet", "js", b"more js".to_vec())],
            wasm: dist.add_hashed("app", "wasm", b"\0asm".to_vec()),
        };
        let style = dist.add_hashed("style", "css", b"css".to_vec());
        let worker = dist.add_hashed("worker", "js", b"worker".to_vec());
        super::page(TEMPLATE, &style, &app, &worker).unwrap()
    }

    #[test]
    fn every_inline_script_is_allowed_by_its_hash() {
        let Page { html, policy } = page();
        let inline: Vec<&str> = html
            .split("</script>")
            .filter_map(|part| part.split_once("<script")?.1.split_once('>'))
            .map(|(_, script)| script)
            .collect();
        assert_eq!(inline.len(), 2);
        for script in inline {
            assert!(policy.contains(&format!("'{}'", integrity(script.as_bytes()))), "{script}");
        }
        assert!(html.contains(&format!("content=\"{policy}\"")));
    }

    #[test]
    fn the_integrity_of_every_file_is_checked() {
        let html = page().html;
        for content in ["js", "more js", "css", "\0asm"] {
            assert!(html.contains(&integrity(content.as_bytes())), "{content}");
        }
    }

    #[test]
    fn the_import_map_comes_before_the_first_module() {
        let html = page().html;
        assert!(html.find("importmap") < html.find("modulepreload"));
    }
}
