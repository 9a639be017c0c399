//! Accounts: their settings, their money and their ledger.

use crate::world::World;

#[test]
fn an_account_is_made_set_and_topped_up() {
    for world in World::both() {
        let make =
            ["account", "create", "new", "--provider", "huawei", "--currency", "CNY", "--balance", "10.00"];
        let made = world.tells(&[&make[..], &["--setting", "on_undecided=renew"]].concat());
        assert!(made.contains("balance     10.00 CNY") && made.contains("on_undecided=renew"), "{made}");
        let decided_by = made.lines().find_map(|line| line.strip_prefix("decided by  ")).unwrap();
        assert!(
            decided_by.starts_with("Huawei Cloud, revision ")
                && decided_by.ends_with(" (part of the program)")
        );
        let told = world.tells(&["account", "top-up", "new", "2.50", "--yes", "--reason", "invoice 1"]);
        assert!(told.contains("balance then  12.50 CNY\n"), "{told}");
        let set = ["account", "set", "new", "--budget", "7.00", "--default", "on_undecided", "--yes"];
        assert!(world.tells(&set).contains("budget"));
        let shown = world.json(&["account", "show", "new"]);
        assert_eq!((&shown["balance"], &shown["budget"]), (&"12.50".into(), &"7.00".into()));
        assert!(shown["settings"].as_object().unwrap().is_empty());
        world.tells(&["account", "set", "new", "--no-budget", "--yes"]);
        assert!(world.json(&["account", "show", "new"])["budget"].is_null());
        let ledger = world.json(&["account", "ledger", "new"]);
        let reasons = ledger.as_array().unwrap().iter().map(|entry| &entry["reason"]).collect::<Vec<_>>();
        assert_eq!(reasons, ["opening", "top_up"]);
        let listed = world.json(&["account", "list", "--provider", "huawei"]);
        assert_eq!(listed.as_array().unwrap().len(), 2);
        assert!(
            world.tells(&["account", "list", "--format", "csv"]).starts_with("id,provider,mode,balance,")
        );
    }
}

#[test]
fn money_is_written_down_once_for_each_key() {
    for world in World::both() {
        let pay = ["account", "top-up", "acme-hw", "5.00", "--yes", "--idempotency-key", "invoice-1"];
        world.tells(&pay);
        world.tells(&pay);
        assert_eq!(world.json(&["account", "show", "acme-hw"])["balance"], "265.00");
        world.fails(&["account", "top-up", "acme-hw", "5.00"], 2, "nobody can be asked here");
        assert_eq!(world.json(&["account", "show", "acme-hw"])["balance"], "265.00");
    }
}

#[test]
fn a_higher_limit_waits_for_another_person() {
    let world = World::host();
    world.tells(&["account", "set", "acme-hw", "--approval-above", "5.00", "--yes"]);
    let raised = world.run(&["account", "set", "acme-hw", "--approval-above", "50.00", "--yes"]);
    assert!(
        raised.code() == 0 && raised.stderr().contains("another person says the same"),
        "{}",
        raised.stderr()
    );
    assert_eq!(world.json(&["account", "show", "acme-hw"])["approval_above"], "5.00");
}

#[test]
fn what_is_wrong_with_an_account_is_said_in_full() {
    for world in World::both() {
        world.fails(&["account", "show", "nobody"], 2, "there is no account `nobody`");
        world.fails(&["account", "ledger", "nobody"], 2, "there is no account `nobody`");
        world.fails(&["account", "top-up", "nobody", "1.00", "--yes"], 2, "there is no account `nobody`");
        world.fails(&["account", "top-up", "acme-hw", "much"], 2, "is not an amount; write a decimal");
        world.fails(&["account", "set", "acme-hw"], 2, "name something to set");
        world.fails(&["account", "list", "--limit", "0"], 2, "0 is not in 1..");
        let create = ["account", "create", "new", "--provider", "nowhere", "--currency", "yuan"];
        let ran = world.run(&create);
        assert_eq!(ran.code(), 2, "{}", ran.stderr());
        for problem in ["cannot make the account `new`", "\n  provider: ", "\n  currency: "] {
            assert!(ran.stderr().contains(problem), "{}", ran.stderr());
        }
    }
}

#[test]
fn a_raise_that_waits_is_said_and_so_is_the_one_it_replaces() {
    let world = World::host();
    world.tells(&["account", "set", "acme-hw", "--approval-above", "5.00", "--yes"]);
    let told = world.tells(&["account", "set", "acme-hw", "--approval-above", "50.00", "--yes"]);
    assert!(told.contains("nothing has changed yet: a limit raise to 50.00"), "{told}");
    let second = world.run(&["account", "set", "acme-hw", "--approval-above", "60.00", "--yes"]);
    assert!(second.stdout().contains("a limit raise to 60.00"), "{}", second.stdout());
    assert!(second.stderr().contains("takes the place of the one to 50.00"), "{}", second.stderr());
    world.fails(&["account", "top-up", "nobody", "1.00", "--yes"], 2, "cannot top up `nobody`");
    world.fails(&["account", "ledger", "nobody"], 2, "cannot list the ledger of `nobody`");
}
