//! The pages that the browser shows.

use hyper::StatusCode;

/// What the browser shows at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Whether it went well.
    pub ok: bool,
    /// In two or three words.
    pub title: String,
    /// In a sentence or two. Any text: it is escaped.
    pub text: String,
}

impl Page {
    pub(super) fn refusal(title: &str, text: &str) -> Self {
        Self {
            ok: false,
            title: title.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The whole document: no script, nothing from elsewhere, light and dark.
    pub(super) fn html(&self) -> String {
        let (mark, class) = if self.ok { (TICK, "good") } else { (CROSS, "bad") };
        let (title, text) = (escape(&self.title), escape(&self.text));
        format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} – Tokenry</title>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><style>{STYLE}</style></head>\
             <body><main class=\"{class}\">{mark}<h1>{title}</h1><p>{text}</p></main><footer>Tokenry</footer></body></html>"
        )
    }
}

/// The page for a status that has no words of its own.
pub(super) fn plain(status: StatusCode) -> Page {
    match status {
        StatusCode::NOT_FOUND => {
            Page::refusal("Nothing here", "This address only takes answers to a sign-in.")
        }
        _ => Page::refusal(
            "Not taken",
            "Tokenry did not take this request. Nothing was changed.",
        ),
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

const TICK: &str = r#"<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="11" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M7 12.5l3.4 3.4L17 9" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/></svg>"#;

const CROSS: &str = r#"<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="11" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M8.5 8.5l7 7m0-7l-7 7" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"/></svg>"#;

/// The only style there is. The policy below names it by its hash, so no other one applies.
pub(super) const STYLE: &str = ":root{--back:#f6f7f7;--card:#fff;--edge:#e1e6e5;--ink:#17211f;--soft:#4f5f5c;--good:#0f766e;--bad:#b42318}@media(prefers-color-scheme:dark){:root{--back:#0e1514;--card:#16201e;--edge:#27332f;--ink:#eaf1ef;--soft:#a6b5b1;--good:#4fd1c0;--bad:#ff8f84}}*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-content:center;justify-items:center;gap:1rem;padding:1.5rem;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,sans-serif}main{width:min(26rem,100%);padding:2.25rem 2rem;background:var(--card);border:1px solid var(--edge);border-radius:14px;text-align:center}svg{width:3rem;height:3rem}.good svg{color:var(--good)}.bad svg{color:var(--bad)}h1{margin:.75rem 0 .25rem;font-size:1.35rem;font-weight:600;text-wrap:balance}p{margin:0;color:var(--soft);overflow-wrap:anywhere}footer{color:var(--soft);font-size:.85rem}";

/// `default-src 'none'` and the hash of [`STYLE`].
pub(super) const POLICY: &str = "default-src 'none'; style-src 'sha256-xAG+iYWQw3dnpj0BuXzZGnuua2T5q5d156lJw92fHUY='; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
