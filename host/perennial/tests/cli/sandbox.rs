//! What a provider sandbox refuses before it serves.

use crate::support::Folder;

#[test]
fn a_sandbox_serves_on_loopback_only_and_serves_something() {
    let folder = Folder::new();
    let ran = folder.run(&["sandbox"]);
    assert_eq!(ran.code(), 2, "{}", ran.stderr());
    assert!(ran.stderr().contains("no provider's API is to be served"), "{}", ran.stderr());
    folder.write("listen.toml", "[listen]\nadmin = \"127.0.0.1:8420\"\nhuawei = \"0.0.0.0:8421\"\n");
    let ran = folder.run(&["--config", "listen.toml", "sandbox"]);
    assert_eq!(ran.code(), 2, "{}", ran.stderr());
    assert!(!folder.path("perennial.db").exists(), "a sandbox that cannot serve makes no database");
}

#[test]
fn everything_wrong_with_a_file_of_faults_is_said_at_once() {
    let folder = Folder::new();
    folder.write("faults.json", "[{\"fault\": \"explode\"},\n {\"fault\": \"cut\", \"on\": \"renew\"}]");
    let ran = folder.run(&["sandbox", "--faults", "faults.json"]);
    assert_eq!(ran.code(), 2, "{}", ran.stderr());
    let said = ran.stderr();
    assert!(said.contains("`faults.json` cannot be used") && said.contains("line 1"), "{said}");
    assert!(said.contains("line 2") && said.contains("POST /v2/orders"), "{said}");
}
