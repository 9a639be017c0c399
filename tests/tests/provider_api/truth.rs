//! One truth: what a request of the provider's API asks for goes the way of every other command.

use expect_test::expect;
use perennial_engine::approval::ApprovalDecision;
use perennial_engine::approval_parts::ApproverLabels;
use perennial_store::audit;
use perennial_store::keys::RowKey;

use crate::world::World;

#[test]
fn what_there_is_is_found_page_by_page_and_never_another_accounts() {
    let world = World::new();
    let shown = |path: &str| world.get(path).shown();
    expect![[r#"
        200 4 lamps
        hall on None until Some(1769817600) before None []
        cellar on Some("stairs") until Some(1769817600) before None []
        stairs on Some("hall") until Some(1769817600) before None []
        porch on None until Some(1769817600) before None []
    "#]]
    .assert_eq(&shown("/lamps"));
    expect![[r#"
        200 4 lamps
        cellar on Some("stairs") until Some(1769817600) before None []
        stairs on Some("hall") until Some(1769817600) before None []
    "#]]
    .assert_eq(&shown("/lamps?offset=1&limit=2"));
    expect![[r#"
        200 2 lamps
        cellar on Some("stairs") until Some(1769817600) before None []
        stairs on Some("hall") until Some(1769817600) before None []
    "#]]
    .assert_eq(&shown("/lamps?ids=stairs,lane,none&with-attached"));
    expect![[r#"
        200 2 lamps
        hall on None until Some(1769817600) before None []
        porch on None until Some(1769817600) before None []
    "#]]
    .assert_eq(&shown("/lamps?only-primaries"));
    for (query, total) in [
        ("offset=9", 4),
        ("limit=0", 4),
        ("kind=lamp", 4),
        ("kind=torch", 0),
        ("ids=lane", 0),
        ("from=1769817600&until=1769817600", 4),
        ("from=1769817601", 0),
        ("until=1769817599", 0),
    ] {
        let answer = world.get(&format!("/lamps?{query}")).body;
        assert!(answer.starts_with(&format!("{total} lamps\n")), "{query}: {answer}");
    }
}

#[test]
fn a_renewal_is_priced_paid_and_shown() {
    let world = World::new();
    let mut shown = String::new();
    for (method, path) in [
        ("GET", "/lamps/hall/price?months=2"),
        ("GET", "/purse"),
        ("POST", "/lamps/hall/oil?months=2"),
        ("GET", "/lamps?ids=hall"),
        ("GET", "/purse"),
        ("GET", "/lamps/hall/price?months=2"),
        ("POST", "/lamps/porch/oil?months=2"),
        ("POST", "/lamps/porch/oil?months=13"),
        ("POST", "/lamps/none/oil"),
        ("GET", "/lamps/none/price"),
        ("POST", "/lamps/hall/smash"),
        ("GET", "/purse"),
        ("GET", "/bills"),
    ] {
        shown += &format!("{method} {path}\n{}", world.signed(&world.key, 0, method, path, "").shown());
    }
    expect![[r#"
        GET /lamps/hall/price?months=2
        200 CNY hall 60000000 None
        GET /purse
        200 CNY 100000000 and 0
        POST /lamps/hall/oil?months=2
        200 done ["hall/2026-01-31T00:00:00Z/2month"] 60000000 0
        GET /lamps?ids=hall
        200 1 lamps
        hall on None until Some(1775001600) before Some(1769817600) []
        GET /purse
        200 CNY 40000000 and 0
        GET /lamps/hall/price?months=2
        200 CNY hall 60000000 Some("poor")
        POST /lamps/porch/oil?months=2
        200 no: poor Lantern says poor: 60.00 CNY needed, 40.00 available
        POST /lamps/porch/oil?months=13
        200 no: long Lantern says long
        POST /lamps/none/oil
        200 no: dark Lantern says dark
        GET /lamps/none/price
        200 CNY Some("dark")
        POST /lamps/hall/smash
        200 done ["purchase/hall", "hall/2026-01-31T00:00:00Z/2month"] 0 90000000
        GET /purse
        200 CNY 130000000 and 0
        GET /bills
        200 purchase/hall for hall: 30000000 back Some((30000000, 0))
        purchase/cellar for cellar: 30000000 back None
        purchase/stairs for stairs: 30000000 back None
        purchase/porch for porch: 30000000 back None
        hall/2026-01-31T00:00:00Z/2month for hall: 60000000 back Some((60000000, 0))
    "#]]
    .assert_eq(&shown);
    expect![[r#"
        balance_changed home hall
        renewal_settled home hall
        renewal_declined home porch
        command_refused home porch
        command_refused home porch
        command_refused home none
        unsubscribed home hall
        stage_changed home hall
        balance_changed home hall
    "#]]
    .assert_eq(&(world.events().join("\n") + "\n"));
}

#[test]
fn what_becomes_pay_per_use_at_once_names_its_orders_and_what_comes_back() {
    let world = World::new();
    let freed = world.post("/lamps/hall/free", "");
    assert_eq!(freed.body, "done [\"purchase/hall\"] 0 15000000\n");
    assert_eq!(world.get("/purse").body, "CNY 115000000 and 0\n");
    let bills = world.get("/bills").body;
    let of_hall = bills.lines().next().unwrap();
    assert_eq!(of_hall, "purchase/hall for hall: 30000000 back Some((15000000, 3000000))");
}

#[test]
fn another_accounts_resource_is_one_that_there_is_not() {
    let world = World::new();
    for (path, like) in [
        ("/lamps/lane/oil", "/lamps/none/oil"),
        ("/lamps/lane/smash", "/lamps/none/smash"),
        ("/lamps/lane/mark?a=b", "/lamps/none/mark?a=b"),
    ] {
        assert_eq!(world.post(path, ""), world.post(like, ""), "{path}");
    }
    assert_eq!(world.get("/lamps/lane/price"), world.get("/lamps/none/price"));
    let lane = world.signed(&world.other, 0, "GET", "/lamps", "").body;
    assert_eq!(lane, "1 lamps\nlane on None until Some(1769817600) before None []\n");
}

#[test]
fn an_action_is_whole_or_each_for_itself() {
    let world = World::new();
    let whole = world.post("/lamps/oil", "porch\nnone\nhall");
    assert_eq!(whole.body, "undone\nno: dark Lantern says dark\nundone\n");
    assert_eq!(world.get("/purse").body, "CNY 100000000 and 0\n");
    assert_eq!(world.events(), ["command_refused home none"]);
    let each = world.post("/lamps/oil?each", "porch\nnone\nhall");
    expect![[r#"
        done ["porch/2026-01-31T00:00:00Z/1month"] 30000000 0
        no: dark Lantern says dark
        done ["hall/2026-01-31T00:00:00Z/1month"] 30000000 0
    "#]]
    .assert_eq(&each.body);
    assert_eq!(world.get("/purse").body, "CNY 40000000 and 0\n");
}

#[test]
fn attributes_and_settings_are_set_and_wrong_ones_are_not() {
    let world = World::new();
    let mut shown = String::new();
    for (method, path) in [
        ("POST", "/lamps/hall/mark?shade=green"),
        ("GET", "/lamps?ids=hall"),
        ("POST", "/rules?oil=whale"),
        ("POST", "/rules?oil=snake&wick=long"),
        ("POST", "/rules?oil=none"),
    ] {
        shown += &format!("{method} {path}\n{}", world.signed(&world.key, 0, method, path, "").shown());
    }
    expect![[r#"
        POST /lamps/hall/mark?shade=green
        200 done [] 0 0
        GET /lamps?ids=hall
        200 1 lamps
        hall on None until Some(1769817600) before None [("shade", "green")]
        POST /rules?oil=whale
        200 done [] 0 0
        POST /rules?oil=snake&wick=long
        200 no: settings oil=snake; wick=long
        POST /rules?oil=none
        200 done [] 0 0
    "#]]
    .assert_eq(&shown);
    let told = world.events();
    assert_eq!(told, ["setting_changed home hall", "setting_changed home -", "setting_changed home -"]);
}

#[test]
fn the_audit_log_says_which_key_asked() {
    let world = World::new();
    world.post("/lamps/hall/oil", "");
    world.post("/lamps/oil", "porch\nnone");
    world.get("/lamps");
    let mut records = audit::list(&world.db(), None, RowKey::after_all(), 10).unwrap();
    records.reverse();
    let rows = records.iter().map(|(_, record)| {
        let shown = |value: &Option<String>| value.clone().unwrap_or("-".to_owned());
        let (account, resource) = (shown(&record.account), shown(&record.resource));
        [record.token.clone(), account, resource, record.operation.clone(), record.outcome.clone()]
    });
    let rows = rows.collect::<Vec<_>>();
    let key = world.key.access_key.as_str();
    assert_eq!(
        rows,
        [
            [key, "home", "hall", "lantern POST /lamps/hall/oil", "done"],
            [key, "home", "-", "lantern POST /lamps/oil", "dark"],
        ]
    );
}

#[test]
fn a_renewal_above_the_limit_is_held_and_its_own_key_cannot_approve_it() {
    let world = World::new();
    let limit = Some("50.00".parse().unwrap());
    world.on_writer(move |desk| desk.engine.set_approval_above(desk.now(), "home", limit).unwrap());
    let oil = |ago| world.signed(&world.key, ago, "POST", "/lamps/hall/oil?months=2", "").shown();
    let mut shown = format!("{}{}{}", oil(0), oil(1), world.get("/purse").shown());
    expect![[r#"
        200 held hall~1
        200 held hall~1
        200 CNY 100000000 and 0
    "#]]
    .assert_eq(&shown);
    expect![[r#"
        setting_changed home -
        approval_requested home hall"#]]
    .assert_eq(&world.events().join("\n"));
    let decide = |by: String| {
        world.on_writer(move |desk| {
            let decision = ApprovalDecision {
                decided_by: &by,
                reason: None,
                plan_hash: None,
                labels: ApproverLabels::All,
            };
            desk.engine.approve(desk.now(), "hall~1", &decision).map(drop).map_err(|error| error.to_string())
        })
    };
    let own = Err("whoever asked for an approval does not decide on it, nor does a token that they made; have somebody else do it"
            .to_owned());
    assert_eq!(decide(world.key.access_key.clone()), own);
    assert_eq!(decide("somebody".to_owned()), Ok(()));
    shown = world.get("/lamps?ids=hall").shown();
    expect![[r#"
        200 1 lamps
        hall on None until Some(1775001600) before Some(1769817600) []
    "#]]
    .assert_eq(&shown);
}
