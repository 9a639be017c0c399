//! What pages load beside themselves: the style, the script and the icon, built into the program.
//!
//! Each has an address with its digest in it, so that a browser keeps it for ever and never has an old one.

use std::sync::LazyLock;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use perennial_picture::html::fragment;
use sha2::Digest;
use sha2::Sha256;

/// The style of the pages, with that of the pictures on them.
static STYLE: LazyLock<String> = LazyLock::new(|| [include_str!("console.css"), &fragment::style()].concat());
/// The script of the pages, with what it calls for their pictures.
static SCRIPT: LazyLock<String> = LazyLock::new(|| [include_str!("console.js"), fragment::script()].concat());
/// The icon, which is also the mark of the pages.
pub(super) const ICON: &str = include_str!("icon.svg");

static STYLE_PATH: LazyLock<String> = LazyLock::new(|| path("console", &STYLE, "css"));
static SCRIPT_PATH: LazyLock<String> = LazyLock::new(|| path("console", &SCRIPT, "js"));
static ICON_PATH: LazyLock<String> = LazyLock::new(|| path("icon", ICON, "svg"));

/// The address of the style.
pub(super) fn style_path() -> &'static str {
    &STYLE_PATH
}

/// The address of the script.
pub(super) fn script_path() -> &'static str {
    &SCRIPT_PATH
}

/// The address of the icon.
pub(super) fn icon_path() -> &'static str {
    &ICON_PATH
}

fn path(name: &str, content: &str, extension: &str) -> String {
    let digest = hex::encode(&Sha256::digest(content)[..6]);
    format!("/assets/{name}-{digest}.{extension}")
}

/// The routes of what pages load.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let asset = |content: &'static str, kind: &'static str| {
        get(async move || -> Response {
            let headers = [
                (header::CONTENT_TYPE, kind),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            ];
            (StatusCode::OK, headers, content).into_response()
        })
    };
    Router::new()
        .route(style_path(), asset(&STYLE, "text/css; charset=utf-8"))
        .route(script_path(), asset(&SCRIPT, "text/javascript; charset=utf-8"))
        .route(icon_path(), asset(ICON, "image/svg+xml"))
}
