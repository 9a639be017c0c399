//! A browser without script: it keeps cookies, reads pages, and sends forms with the proof that their pages had.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use perennial_http::console;

use crate::harness::ApiResponse;
use crate::harness::Server;

/// A furnished server that serves the console.
pub fn served() -> Server {
    with_console(Server::furnished())
}

/// The same server, with the console in front.
pub fn with_console(mut server: Server) -> Server {
    server.router = console::router(&server.host).unwrap();
    server
}

/// A browser of one person.
#[derive(Clone)]
pub struct Browser<'a> {
    server: &'a Server,
    cookies: BTreeMap<String, String>,
    headers: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    /// A browser that nobody has signed in with.
    pub fn new(server: &'a Server) -> Browser<'a> {
        Browser { server, cookies: BTreeMap::new(), headers: Vec::new() }
    }

    /// A browser that is signed in with the token called `token`.
    pub fn signed_in(server: &'a Server, token: &str) -> Browser<'a> {
        let mut browser = Browser::new(server);
        let answer = browser.send("/sign-in", &[("token", server.secret(token))]);
        assert_eq!((answer.status.as_u16(), location(&answer)), (303, "/"), "{}", answer.body);
        browser
    }

    /// A browser that has these cookies.
    pub fn with_cookies(server: &'a Server, cookies: BTreeMap<String, String>) -> Browser<'a> {
        Browser { server, cookies, headers: Vec::new() }
    }

    /// A copy of its cookies.
    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.cookies.clone()
    }

    /// The same browser, which sends this header from now on.
    pub fn saying(mut self, name: &str, value: &str) -> Browser<'a> {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same browser, whose reader likes Chinese best.
    pub fn in_chinese(self) -> Browser<'a> {
        self.saying("accept-language", "zh-CN,zh;q=0.9,en;q=0.5")
    }

    /// Opens a page.
    pub fn open(&mut self, path: &str) -> ApiResponse {
        self.request("GET", path, String::new())
    }

    /// Opens a page that has to be there.
    pub fn page(&mut self, path: &str) -> String {
        let answer = self.open(path);
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Sends fields as a form, and nothing else.
    pub fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> ApiResponse {
        let pairs = fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        self.request("POST", path, body)
    }

    /// Sends a form of the page at `page`, with the proof and the key that it has.
    pub fn submit(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> ApiResponse {
        let page = self.page(page);
        let (proof, once) = (hidden(&page, "proof"), hidden(&page, "once"));
        self.send(path, &[fields, &[("proof", &proof), ("once", &once)]].concat())
    }

    /// Sends a form, and opens the page that it leads to.
    pub fn follow(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = self.submit(page, path, fields);
        assert_eq!(answer.status.as_u16(), 303, "{path}: {}", answer.body);
        let next = location(&answer).to_owned();
        self.page(&next)
    }

    fn request(&mut self, method: &str, path: &str, body: String) -> ApiResponse {
        let mut request = Request::builder().method(method).uri(path).header("host", "console.test");
        if !self.cookies.is_empty() {
            let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            request = request.header("cookie", cookies.collect::<Vec<_>>().join("; "));
        }
        if method == "POST" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = self.server.raw(request.body(Body::from(body)).unwrap());
        for cookie in answer.headers.get_all("set-cookie") {
            let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

/// Where an answer leads.
pub fn location(answer: &ApiResponse) -> &str {
    answer.headers.get("location").map_or("", |value| value.to_str().unwrap())
}

/// The value of a hidden field of a page.
pub fn hidden(page: &str, name: &str) -> String {
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&start).unwrap_or_else(|| panic!("no `{name}` in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}
