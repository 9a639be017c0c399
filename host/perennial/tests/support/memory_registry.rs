//! A registry in memory: as much of the distribution API as a push and a pull of a package take.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;

/// Starts one, which goes on until the test program ends; returns where it listens.
pub fn start() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut kept = BTreeMap::new();
        for stream in listener.incoming() {
            answer(&mut stream.unwrap(), &mut kept);
        }
    });
    address
}

fn answer(stream: &mut TcpStream, kept: &mut BTreeMap<String, Vec<u8>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let (status, more, body) = match method {
        "POST" => ("202 Accepted", format!("location: {path}1?state=x\r\n"), Vec::new()),
        "PUT" => {
            let name = match path.split_once("digest=") {
                Some((upload, digest)) => format!("{}/{digest}", upload.split_once("/uploads/").unwrap().0),
                None => path.to_owned(),
            };
            kept.insert(name, body);
            ("201 Created", String::new(), Vec::new())
        }
        _ => match kept.get(path) {
            Some(found) => ("200 OK", String::new(), found.clone()),
            None => ("404 Not Found", String::new(), Vec::new()),
        },
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\n{more}connection: close\r\ncontent-length: {length}\r\n\r\n")
        .unwrap();
    if method != "HEAD" {
        stream.write_all(&body).unwrap();
    }
}
