//! Tokens that were made by others.

use crate::server::Served;
use crate::server::run;
use crate::support::Folder;

#[test]
fn the_command_line_revokes_a_token_with_what_it_made() {
    let folder = Folder::new();
    let server = Served::start(&folder, &[], &[]);
    let made = server.send("POST", "/v1/tokens", r#"{"name": "portal", "role": "viewer"}"#).json();
    let child = made["token"]["id"].as_str().unwrap().to_owned();
    let parent = server.token.split('_').nth(1).unwrap().to_owned();
    server.terminate();
    assert_eq!(server.exit_code(), Some(0));
    let revoked = run(&folder, &[], &["token", "revoke", &parent, "--cascade", "--yes"]);
    let shown = String::from_utf8(revoked.stdout).unwrap();
    assert_eq!(shown, format!("revoked {parent}\nrevoked {child}\n"));
    let again = run(&folder, &[], &["token", "revoke", &child, "--cascade", "--yes"]);
    assert_eq!(again.status.code(), Some(2));
}
