//! `/v1/channels`: making and changing them, what each kind is sent, and what becomes of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use expect_test::expect;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use perennial_service::channels::email::MailSecurity;
use serde_json::Value;
use serde_json::json;
use sha2::Sha256;

use crate::harness::Server;
use crate::mail_receiver::MailReceiver;
use crate::mail_receiver::MailReply;
use crate::receiver::Message;
use crate::receiver::Receiver;
use crate::receiver::Reply;

/// What the robots of DingTalk and WeCom answer when they take a message.
const TAKEN: Reply = Reply::Body(r#"{"errcode":0,"errmsg":"ok"}"#);
/// What a robot of Feishu answers then.
const TAKEN_BY_FEISHU: Reply = Reply::Body(r#"{"code":0,"msg":"success","data":{}}"#);

/// Makes a channel, and returns its id.
fn make(server: &Server, body: &Value) -> String {
    let answer = server.post("admin", "/v1/channels", &body.to_string());
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// Waits until the newest deliveries of a channel have these states and tries, the newest first, and returns them.
fn settle(server: &Server, id: &str, expected: &[(&str, u64)]) -> Vec<Value> {
    let expected = json!(expected);
    let list = server.until(&format!("/v1/channels/{id}/deliveries"), |list| {
        let items = list["items"].as_array().unwrap().iter();
        json!(items.map(|item| json!([item["state"], item["attempts"]])).collect::<Vec<_>>()) == expected
    });
    list["items"].as_array().unwrap().clone()
}

fn top_up(server: &Server, amount: &str) {
    let body = json!({ "amount": amount }).to_string();
    assert_eq!(server.post("operator", "/v1/accounts/acme-hw:top-up", &body).status, 200);
}

fn signature(key: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(message.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

#[test]
fn a_channel_is_made_changed_and_deleted_and_its_url_is_not_shown() {
    let server = Server::furnished();
    let body = json!({
        "kind": "dingtalk", "url": "https://oapi.dingtalk.com/robot/send?access_token=hidden-token",
        "secret": "SEChidden", "description": "the night shift", "accounts": ["acme-hw"],
        "types": ["renewal_declined", "stage_changed"], "severity": "critical", "language": "zh-CN",
        "time_zone": "Asia/Shanghai", "quiet_hours": { "from": "22:00", "until": "07:00" },
        "critical_at_once": false,
    });
    let made = server.send("admin", "POST", "/v1/channels", &["idempotency-key: 1"], &body.to_string());
    assert_eq!(made.status, 201, "{}", made.body);
    let channel = made.json();
    let id = channel["id"].as_str().unwrap();
    let by = channel["created_by"].as_str().unwrap();
    expect![[r#"
        {
          "accounts": [
            "acme-hw"
          ],
          "address": "oapi.dingtalk.com",
          "alarmed_at": null,
          "created_at": "2026-01-01T00:00:00Z",
          "created_by": "[by]",
          "critical_at_once": false,
          "description": "the night shift",
          "digest_at": null,
          "disabled_at": null,
          "enabled": true,
          "failing_since": null,
          "id": "[id]",
          "kind": "dingtalk",
          "language": "zh-CN",
          "quiet_hours": {
            "from": "22:00",
            "until": "07:00"
          },
          "severity": "critical",
          "time_zone": "Asia/Shanghai",
          "types": [
            "renewal_declined",
            "stage_changed"
          ]
        }"#]]
    .assert_eq(&format!("{channel:#}").replace(id, "[id]").replace(by, "[by]"));
    let again = server.send("admin", "POST", "/v1/channels", &["idempotency-key: 1"], &body.to_string());
    assert_eq!(again.json()["id"], id, "it is made once");
    let path = format!("/v1/channels/{id}");
    let change = json!({ "quiet_hours": null, "digest_at": "08:00", "types": null, "secret": null });
    let changed = server.send("admin", "PATCH", &path, &[], &change.to_string()).json();
    assert_eq!(changed["digest_at"], "08:00");
    assert_eq!((&changed["types"], &changed["quiet_hours"]), (&Value::Null, &Value::Null));
    assert_eq!(changed, server.get("operator", &path).json());
    let quiet = json!({ "quiet_hours": { "from": "22:00", "until": "07:00" } }).to_string();
    let refused = server.send("admin", "PATCH", &path, &[], &quiet);
    assert!(refused.status == 422 && refused.body.contains("it takes no quiet hours"), "{}", refused.body);
    let stale = server.send("admin", "DELETE", &path, &["if-match: \"stale\""], "");
    assert_eq!(stale.status, 412, "{}", stale.body);
    let everything = ["/v1/channels", &path, "/v1/audit"].map(|path| server.get("admin", path).body);
    for body in everything {
        assert!(body.contains(id) || body.contains("/v1/channels"), "{body}");
        assert!(!body.contains("hidden"), "{body}");
    }
    assert_eq!(server.send("admin", "DELETE", &path, &[], "").status, 200);
    assert_eq!(server.get("operator", "/v1/channels").json()["items"], json!([]));
}

#[test]
fn everything_that_is_wrong_with_a_channel_is_said_and_none_is_made() {
    let server = Server::furnished();
    let problems = |body: Value| {
        let answer = server.post("admin", "/v1/channels", &body.to_string());
        assert_eq!(answer.status, 422, "{}", answer.body);
        let errors = answer.json()["errors"].as_array().unwrap().clone();
        let errors = errors.iter().map(|error| {
            format!("{}: {}\n", error["field"].as_str().unwrap(), error["detail"].as_str().unwrap())
        });
        errors.collect::<String>() + "\n"
    };
    let found = [
        problems(json!({
            "kind": "email", "to": ["nobody"], "language": "fr", "time_zone": "Shanghai", "types": ["renewal"],
            "severity": "bad", "digest_at": "24:00", "quiet_hours": { "from": "7", "until": "07:00" }, "token": "x",
        })),
        problems(json!({ "kind": "email", "url": "https://example.com/", "secret": "x" })),
        problems(json!({ "kind": "wecom", "to": ["ops@example.com"], "secret": "x" })),
        problems(json!({ "kind": "slack", "url": "https://10.0.0.1/services/x" })),
        problems(json!({
            "kind": "email", "to": ["ops@example.com"], "quiet_hours": { "from": "07:00", "until": "07:00" },
        })),
    ];
    expect![[r#"
        digest_at: expected a time of day such as "08:00", found the text `24:00`
        language: there is no `fr`; expected `en` or `zh-CN`
        quiet_hours.from: expected a time of day such as "08:00", found the text `7`
        severity: there is no `bad`; expected `info`, `warning` or `critical`
        time_zone: there is no time zone `Shanghai`; is it Asia/Shanghai? Write one of the IANA's, such as `Asia/Shanghai`, or an offset, such as `+08:00`
        to[0]: expected an address of e-mail such as "ops@example.com", found the text `nobody`
        token: unknown field `token`; expected `kind`, `description`, `to`, `url`, `secret`, `accounts`, `language`, `time_zone`, `types`, `severity`, `digest_at`, `quiet_hours` or `critical_at_once`
        types[0]: there is no `renewal`; expected `stage_changed`, `renewal_settled`, `renewal_declined`, `renewal_in_doubt`, `command_in_doubt`, `sending_late`, `connection_failed`, `connection_restored`, `approval_requested`, `approval_decided`, `approval_given`, `approval_expired`, `policy_ruled`, `policy_note`, `policy_installed`, `policy_removed`, `policy_calendar_changed`, `revision_installed`, `revision_bound`, `revision_unbound`, `command_refused`, `setting_changed`, `unsubscribed`, `converted` or 19 more

        to: name the addresses of e-mail that messages go to
        secret: messages of `email` are not signed; leave it out
        url: e-mail has no URL; leave it out

        url: name the URL that `wecom` shows for the robot
        secret: messages of `wecom` are not signed; leave it out
        to: the readers of `wecom` are its group; leave it out

        url: 10.0.0.1 is a private or special address; use a public one, or set `webhooks.allow_private = true` in the host's configuration

        quiet_hours: they begin and end at one time; leave them out to have none

    "#]].assert_eq(&found.concat());
    assert_eq!(server.get("admin", "/v1/channels").json()["items"], json!([]));
}

/// A robot, the server that tells it of something, and the message that it gets.
fn told(kind: &str, secret: Option<&str>, taken: Reply) -> (Message, Value) {
    let (server, mut receiver) = (Server::open().telling(None), Receiver::new());
    receiver.answer([taken]);
    let mut body =
        json!({ "kind": kind, "url": receiver.url(), "severity": "info", "types": ["balance_changed"] });
    if let Some(secret) = secret {
        body["secret"] = json!(secret);
    }
    let id = make(&server, &body);
    top_up(&server, "12.50");
    let message = receiver.next();
    let delivery = settle(&server, &id, &[("delivered", 1)]).remove(0);
    assert_eq!((&delivery["events"], &delivery["reader"]), (&json!(1), &json!("")));
    assert_eq!(message.header("content-type"), "application/json; charset=utf-8");
    (message, delivery)
}

/// What the message of each robot says.
const WORDS: &str = "Perennial, now: 1 other event\n\
    [info] 2026-01-01 00:00 UTC acme-hw: top-up: balance +12.50 to 512.50 CNY";

#[test]
fn a_robot_of_dingtalk_gets_a_signed_text() {
    let (message, _) = told("dingtalk", Some("SECabc"), TAKEN);
    assert_eq!(message.json(), json!({ "msgtype": "text", "text": { "content": WORDS } }));
    let query = message.path.strip_prefix("/webhook?of=acme&timestamp=").unwrap();
    let (timestamp, sign) = query.split_once("&sign=").unwrap();
    let sign = sign.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    assert_eq!(sign, signature("SECabc", &format!("{timestamp}\nSECabc")));
    assert_eq!(timestamp.len(), 13, "in milliseconds");
}

#[test]
fn a_robot_of_wecom_gets_a_text_at_the_url_with_its_key() {
    let (message, _) = told("wecom", None, TAKEN);
    assert_eq!(message.path, "/webhook?of=acme");
    assert_eq!(message.json(), json!({ "msgtype": "text", "text": { "content": WORDS } }));
}

#[test]
fn a_robot_of_feishu_gets_a_signed_post() {
    let (message, _) = told("feishu", Some("secret"), TAKEN_BY_FEISHU);
    let mut body = message.json();
    let timestamp = body["timestamp"].as_str().unwrap().to_owned();
    assert_eq!(timestamp.len(), 10, "in seconds");
    assert_eq!(body["sign"], signature(&format!("{timestamp}\nsecret"), ""));
    let (title, line) = WORDS.split_once('\n').unwrap();
    let post =
        json!({ "post": { "zh_cn": { "title": title, "content": [[{ "tag": "text", "text": line }]] } } });
    assert_eq!(body["content"].take(), post);
    assert_eq!(body["msg_type"], "post");
}

#[test]
fn an_incoming_webhook_of_slack_gets_a_text_without_markup() {
    let (message, _) = told("slack", None, Reply::Body("ok"));
    assert_eq!(message.json(), json!({ "text": WORDS, "mrkdwn": false }));
}

#[test]
fn every_reader_of_e_mail_gets_one_message_in_the_chosen_language() {
    for security in MailSecurity::ALL {
        let mut receiver = MailReceiver::new(security);
        let server = Server::open().telling(Some(&receiver.server()));
        let id = make(
            &server,
            &json!({
                "kind": "email", "to": ["one@example.com", "two@example.com"], "severity": "info",
                "types": ["balance_changed"], "language": "zh-CN", "time_zone": "Asia/Shanghai",
            }),
        );
        top_up(&server, "12.50");
        let mails = [receiver.next(), receiver.next()];
        let deliveries = settle(&server, &id, &[("delivered", 1), ("delivered", 1)]);
        for (mail, to) in mails.iter().zip(["one@example.com", "two@example.com"]) {
            assert_eq!(
                (mail.from.as_str(), &mail.to),
                ("MAIL FROM:<perennial@example.com>", &format!("RCPT TO:<{to}>"))
            );
            assert_eq!(mail.is_private, security != MailSecurity::None, "{security:?}");
            assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
            assert_eq!(mail.header("To"), to);
            assert_eq!(
                mail.body(),
                "【信息】2026-01-01 08:00 +08:00 acme-hw：充值：余额变动 +12.50，现为 512.50 CNY"
            );
            let delivery = deliveries.iter().find(|delivery| delivery["reader"] == to).unwrap();
            let message_id = format!("<{}@example.com>", delivery["id"].as_str().unwrap());
            assert_eq!(mail.header("Message-ID"), message_id);
            assert_eq!(
                (&delivery["status"], &delivery["title"]),
                (&json!(250), &json!("Perennial 即时：1 条记录"))
            );
        }
        assert!(receiver.is_empty());
    }
}

#[test]
fn what_happens_together_is_one_message_that_shows_the_worst() {
    let (server, mut receiver) = (Server::open(), Receiver::new());
    receiver.answer([TAKEN]);
    let id = make(&server, &json!({ "kind": "wecom", "url": receiver.url(), "severity": "info" }));
    (0..40).for_each(|_| top_up(&server, "1.00"));
    let server = server.telling(None);
    let text = receiver.next().json()["text"]["content"].as_str().unwrap().to_owned();
    assert!(text.len() <= 2048 && text.starts_with("Perennial, now: 40 other events\n"), "{text}");
    let lines = text.lines().filter(|line| line.starts_with("[info]")).count();
    assert!(text.ends_with(&format!("and {} more; the events of the host have all", 40 - lines)), "{text}");
    let delivery = settle(&server, &id, &[("delivered", 1)]).remove(0);
    assert_eq!(delivery["events"], 40);
    let server = server.restarted_telling();
    receiver.answer([TAKEN]);
    top_up(&server, "7.00");
    let text = receiver.next().json()["text"]["content"].as_str().unwrap().to_owned();
    assert!(text.starts_with("Perennial, now: 1 other event\n"), "what was told is not told again: {text}");
    settle(&server, &id, &[("delivered", 1), ("delivered", 1)]);
}

#[test]
fn a_digest_comes_in_the_morning_and_what_is_critical_at_once() {
    let mut receiver = MailReceiver::new(MailSecurity::None);
    let server = Server::open().telling(Some(&receiver.server()));
    let digest = json!({
        "kind": "email", "to": ["boss@example.com"], "severity": "info", "digest_at": "08:00",
        "time_zone": "Asia/Shanghai", "types": ["balance_changed", "stage_changed"], "accounts": ["acme-hw"],
    });
    let id = make(&server, &digest);
    top_up(&server, "1.00");
    server.advance("2026-01-01T23:59:59Z");
    top_up(&server, "2.00");
    assert!(receiver.is_empty());
    server.advance("2026-01-02T00:00:00Z");
    let mail = receiver.next();
    assert_eq!(mail.header("Subject"), "Perennial, digest: 2 other events");
    assert_eq!(mail.body().lines().count(), 2, "{}", mail.body());
    settle(&server, &id, &[("delivered", 1)]);
    // Nobody renews any more, so what expires tonight is not for the morning.
    assert_eq!(server.post("operator", "/v1/resources/ecs-1:cancel-auto-renew", "{}").status, 200);
    server.advance("2026-01-31T15:59:58Z");
    settle(&server, &id, &[("delivered", 1)]);
    server.advance("2026-01-31T16:30:00Z");
    let mail = receiver.next();
    let subject = mail.header("Subject");
    assert!(subject.starts_with("Perennial, now: ") && subject.contains("critical event"), "{subject}");
    assert!(mail.body().contains("[critical] 2026-01-31 23:59 +08:00 ecs-1 of acme-hw: "), "{}", mail.body());
    server.advance("2026-02-01T00:00:00Z");
    settle(&server, &id, &[("delivered", 1), ("delivered", 1)]);
    assert!(receiver.is_empty(), "what came at once is in no digest");
}

#[test]
fn quiet_hours_hold_messages_back_until_they_end() {
    let (server, mut receiver) = (Server::open().telling(None), Receiver::new());
    receiver.answer([TAKEN]);
    let quiet = json!({
        "kind": "dingtalk", "url": receiver.url(), "severity": "info", "types": ["balance_changed"],
        "quiet_hours": { "from": "23:00", "until": "06:00" },
    });
    let id = make(&server, &quiet);
    top_up(&server, "1.00");
    server.advance("2026-01-01T05:59:59Z");
    assert!(receiver.is_empty());
    assert_eq!(server.get("operator", &format!("/v1/channels/{id}/deliveries")).json()["items"], json!([]));
    server.advance("2026-01-01T06:00:00Z");
    let text = receiver.next().json()["text"]["content"].as_str().unwrap().to_owned();
    assert!(text.contains("balance +1.00"), "{text}");
    settle(&server, &id, &[("delivered", 1)]);
}

#[test]
fn a_channel_that_delivers_nothing_is_an_alarm_on_another() {
    let (server, receiver, mut other) = (Server::open().telling(None), Receiver::new(), Receiver::new());
    let refused = Reply::Body(r#"{"errcode":310000,"errmsg":"sign not match"}"#);
    receiver.answer([refused.clone(), refused.clone(), refused]);
    other.answer([TAKEN]);
    let failing = json!({
        "kind": "dingtalk", "url": receiver.url(), "severity": "info", "accounts": ["acme-hw"],
        "types": ["balance_changed"],
    });
    let failing = make(&server, &failing);
    let of_the_host = make(&server, &json!({ "kind": "wecom", "url": other.url(), "types": ["notice"] }));
    let of_another = make(
        &server,
        &json!({ "kind": "wecom", "url": other.url(), "types": ["notice"], "accounts": ["beta-bd"] }),
    );
    top_up(&server, "1.00");
    let delivery = settle(&server, &failing, &[("pending", 1)]).remove(0);
    assert_eq!(delivery["error"], "it was answered with the code 310000: sign not match");
    assert_eq!(delivery["next_try_at"], "2026-01-01T00:00:05Z");
    server.advance("2026-01-01T00:00:05Z");
    settle(&server, &failing, &[("pending", 2)]);
    server.advance("2026-01-01T00:05:05Z");
    settle(&server, &failing, &[("pending", 3)]);
    let alarm = other.next().json()["text"]["content"].as_str().unwrap().to_owned();
    let expected = format!(
        "Perennial: another channel fails\nThe channel {failing} (dingtalk, {}) has delivered nothing since \
         2026-01-01 00:00 UTC: it was answered with the code 310000: sign not match. Its readers are not told of \
         what happens; mend it, then test it.",
        receiver.url().split('/').nth(2).unwrap()
    );
    assert_eq!(alarm, expected);
    settle(&server, &of_the_host, &[("delivered", 1)]);
    settle(&server, &of_another, &[]);
    let shown = server.get("operator", &format!("/v1/channels/{failing}")).json();
    assert_eq!(shown["alarmed_at"], "2026-01-01T00:05:05Z");
    assert!(server.get("", "/metrics").body.contains("perennial_channels_failing 1"));
    receiver.answer([TAKEN]);
    server.advance("2026-01-01T00:35:05Z");
    settle(&server, &failing, &[("delivered", 4)]);
    let shown = server.get("operator", &format!("/v1/channels/{failing}")).json();
    assert_eq!((&shown["failing_since"], &shown["alarmed_at"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_message_that_may_have_arrived_is_sent_again_only_by_a_person() {
    let mut receiver = MailReceiver::new(MailSecurity::None);
    let server = Server::open().telling(Some(&receiver.server()));
    let id = make(&server, &json!({ "kind": "email", "to": ["ops@example.com"] }));
    receiver.answer([MailReply::Silence]);
    assert_eq!(server.post("operator", &format!("/v1/channels/{id}:test"), "{}").status, 202);
    receiver.next();
    let delivery = settle(&server, &id, &[("in_doubt", 1)]).remove(0);
    server.advance("2026-01-03T00:00:00Z");
    assert!(receiver.is_empty(), "nobody sends it again");
    let again = json!({ "delivery": delivery["id"] }).to_string();
    let answer = server.post("operator", &format!("/v1/channels/{id}:resend"), &again);
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(
        receiver.next().header("Message-ID"),
        format!("<{}@example.com>", delivery["id"].as_str().unwrap())
    );
    settle(&server, &id, &[("delivered", 1)]);
    let answer = server.post("operator", &format!("/v1/channels/{id}:resend"), &again);
    assert!(answer.status == 409 && answer.body.contains("is delivered"), "{}", answer.body);
}

#[test]
fn an_unknown_reader_is_given_up_and_one_without_a_server_waits() {
    let receiver = MailReceiver::new(MailSecurity::None);
    let server = Server::open().telling(Some(&receiver.server()));
    let id = make(&server, &json!({ "kind": "email", "to": ["gone@example.com"] }));
    receiver.answer([MailReply::Recipient(550), MailReply::Recipient(451)]);
    let test = format!("/v1/channels/{id}:test");
    assert_eq!(server.post("operator", &test, "{}").status, 202);
    let delivery = settle(&server, &id, &[("failed", 1)]).remove(0);
    assert_eq!(delivery["status"], 550, "{delivery}");
    assert_eq!(server.post("operator", &test, "{}").status, 202);
    let delivery = settle(&server, &id, &[("pending", 1), ("failed", 1)]).remove(0);
    assert_eq!(delivery["status"], 451, "{delivery}");
    let server = Server::open().telling(None);
    let id = make(&server, &json!({ "kind": "email", "to": ["ops@example.com"] }));
    assert_eq!(server.post("operator", &format!("/v1/channels/{id}:test"), "{}").status, 202);
    let delivery = settle(&server, &id, &[("pending", 1)]).remove(0);
    let why = "this host has no mail server; name one in [email] of its configuration";
    assert_eq!(delivery["error"], why);
}

#[test]
fn a_disabled_channel_is_silent_and_tells_of_what_was_missed_later() {
    let (server, mut receiver) = (Server::open().telling(None), Receiver::new());
    let body =
        json!({ "kind": "slack", "url": receiver.url(), "severity": "info", "types": ["balance_changed"] });
    let id = make(&server, &body);
    let path = format!("/v1/channels/{id}");
    assert_eq!(server.send("admin", "PATCH", &path, &[], r#"{"enabled": false}"#).status, 200);
    let refused = server.post("operator", &format!("{path}:test"), "{}");
    assert!(refused.status == 409 && refused.body.contains("enable it, then test it"), "{}", refused.body);
    top_up(&server, "1.00");
    assert_eq!(server.send("admin", "PATCH", &path, &[], r#"{"enabled": true}"#).status, 200);
    assert!(receiver.next().body.contains("balance +1.00"));
    settle(&server, &id, &[("delivered", 1)]);
}
