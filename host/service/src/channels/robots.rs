//! The robots of groups: the request of each kind for a text, its signature, and what a response means.
//!
//! Sources: the providers' pages on custom robots. DingTalk signs `timestamp\nsecret` with the secret and takes the
//! signature in the query; Feishu signs nothing with the key `timestamp\nsecret` and takes it in the body; the URLs of WeCom
//! and Slack are the secret. All but Slack answer 200 with a code of their own in the body.
//!
//! Texts are sent as plain text in every format, so that no name of a resource can mention people, link or format.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use perennial_domain::channel::ChannelKind;
use perennial_domain::timestamp::Timestamp;
use serde_json::Value;
use serde_json::json;
use sha2::Sha256;

use crate::channels::credentials::Credentials;

/// The most bytes of the providers' words that are kept.
const WORDS_MAX: usize = 300;

/// A request to the robot of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RobotRequest {
    pub(crate) url: String,
    /// The body, a JSON object.
    pub(crate) body: String,
}

/// How many bytes a message may have, its title included. WeCom takes 2048; the others ten times as many or more.
pub(crate) const fn text_bytes_max(kind: ChannelKind) -> usize {
    match kind {
        ChannelKind::WeCom => 2000,
        ChannelKind::DingTalk | ChannelKind::Feishu | ChannelKind::Slack => 12_000,
        ChannelKind::Email => 60_000,
    }
}

/// The request that shows a title and a text in the group of a robot. `at` is the instant of the signature, which receivers
/// compare with their own clocks.
pub(crate) fn request(
    kind: ChannelKind,
    credentials: &Credentials,
    title: &str,
    text: &str,
    at: Timestamp,
) -> RobotRequest {
    let text = format!("{title}\n{text}");
    let secret = credentials.secret.as_deref();
    let mut url = credentials.url.clone();
    let body = match kind {
        ChannelKind::DingTalk => {
            if let Some(secret) = secret {
                url += &dingtalk_query(&url, secret, at);
            }
            json!({ "msgtype": "text", "text": { "content": text } })
        }
        // A mention is `<@id>`, also in a text.
        ChannelKind::WeCom => {
            json!({ "msgtype": "text", "text": { "content": text.replace("<@", "< @") } })
        }
        ChannelKind::Feishu => feishu_body(&text, secret, at),
        ChannelKind::Slack | ChannelKind::Email => json!({ "text": slack_escape(&text), "mrkdwn": false }),
    };
    RobotRequest { url, body: body.to_string() }
}

/// The end of a URL with the signature of DingTalk, whose timestamps are in milliseconds.
fn dingtalk_query(url: &str, secret: &str, at: Timestamp) -> String {
    let timestamp = at.as_second() * 1000;
    let signature = signed(secret, &format!("{timestamp}\n{secret}"));
    let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{separator}timestamp={timestamp}&sign={signature}")
}

/// A body of Feishu: a post, whose texts have no markup, where a plain text could mention everybody.
fn feishu_body(text: &str, secret: Option<&str>, at: Timestamp) -> Value {
    let (title, rest) = text.split_once('\n').unwrap_or((text, ""));
    let lines = rest.lines().map(|line| json!([{ "tag": "text", "text": line }])).collect::<Vec<_>>();
    let post = json!({ "post": { "zh_cn": { "title": title, "content": lines } } });
    let mut body = json!({ "msg_type": "post", "content": post });
    if let Some(secret) = secret {
        let timestamp = at.as_second();
        body["timestamp"] = json!(timestamp.to_string());
        body["sign"] = json!(signed(&format!("{timestamp}\n{secret}"), ""));
    }
    body
}

/// What Slack would read as a link or a mention, written out.
fn slack_escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn signed(key: &str, message: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(message.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Why a robot that answered with a status of success took no message; `None` when it took it.
pub(crate) fn refusal(kind: ChannelKind, body: Option<&[u8]>) -> Option<String> {
    let body = body.unwrap_or_default();
    let words = || String::from_utf8_lossy(&body[..body.len().min(WORDS_MAX)]).trim().to_owned();
    let unknown = || Some(format!("it was answered with 200 and `{}`, which says no code", words()));
    let (code, message) = match kind {
        // The status of these says everything.
        ChannelKind::Slack | ChannelKind::Email => return None,
        ChannelKind::DingTalk | ChannelKind::WeCom => ("errcode", "errmsg"),
        ChannelKind::Feishu => ("code", "msg"),
    };
    let Ok(answer) = serde_json::from_slice::<Value>(body) else { return unknown() };
    match answer[code].as_i64() {
        Some(0) => None,
        Some(code) => {
            let message = answer[message].as_str().unwrap_or_default();
            let message = message.chars().take(WORDS_MAX).collect::<String>();
            Some(format!("it was answered with the code {code}: {message}"))
        }
        None => unknown(),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    const AT: Timestamp = Timestamp::from_second(1_599_360_473);

    fn credentials(url: &str, secret: Option<&str>) -> Credentials {
        Credentials { url: url.to_owned(), secret: secret.map(str::to_owned) }
    }

    #[test]
    fn each_robot_is_sent_its_own_format_in_which_no_text_is_markup() {
        let text = "<at user_id=\"all\"></at> <!channel> <@zhang> & *bold*\nsecond line";
        let of = |kind, url, secret| {
            let RobotRequest { url, body } = request(kind, &credentials(url, secret), "Title", text, AT);
            format!("{url}\n{body}\n")
        };
        let requests = [
            of(ChannelKind::DingTalk, "https://oapi.dingtalk.com/robot/send?access_token=a", Some("SECa")),
            of(ChannelKind::DingTalk, "https://oapi.dingtalk.com/robot/send?access_token=a", None),
            of(ChannelKind::WeCom, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a", None),
            of(ChannelKind::Feishu, "https://open.feishu.cn/open-apis/bot/v2/hook/a", Some("demo")),
            of(ChannelKind::Slack, "https://hooks.slack.com/services/T/B/a", None),
        ];
        expect![[r#"
            https://oapi.dingtalk.com/robot/send?access_token=a&timestamp=1599360473000&sign=MUprTn18A8QelQXKy%2FQRf28U3pvo33qAt9ArAppc%2BqY%3D
            {"msgtype":"text","text":{"content":"Title\n<at user_id=\"all\"></at> <!channel> <@zhang> & *bold*\nsecond line"}}
            https://oapi.dingtalk.com/robot/send?access_token=a
            {"msgtype":"text","text":{"content":"Title\n<at user_id=\"all\"></at> <!channel> <@zhang> & *bold*\nsecond line"}}
            https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a
            {"msgtype":"text","text":{"content":"Title\n<at user_id=\"all\"></at> <!channel> < @zhang> & *bold*\nsecond line"}}
            https://open.feishu.cn/open-apis/bot/v2/hook/a
            {"content":{"post":{"zh_cn":{"content":[[{"tag":"text","text":"<at user_id=\"all\"></at> <!channel> <@zhang> & *bold*"}],[{"tag":"text","text":"second line"}]],"title":"Title"}}},"msg_type":"post","sign":"l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8=","timestamp":"1599360473"}
            https://hooks.slack.com/services/T/B/a
            {"mrkdwn":false,"text":"Title\n&lt;at user_id=\"all\"&gt;&lt;/at&gt; &lt;!channel&gt; &lt;@zhang&gt; &amp; *bold*\nsecond line"}
        "#]]
        .assert_eq(&requests.concat());
    }

    #[test]
    fn a_code_in_the_body_says_whether_the_message_was_taken() {
        let of = |kind, body: &str| refusal(kind, Some(body.as_bytes()));
        for (kind, body) in [
            (ChannelKind::DingTalk, r#"{"errcode":0,"errmsg":"ok"}"#),
            (ChannelKind::WeCom, r#"{"errcode":0,"errmsg":"ok"}"#),
            (
                ChannelKind::Feishu,
                r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#,
            ),
            (ChannelKind::Slack, "ok"),
        ] {
            assert_eq!(of(kind, body), None, "{kind:?}");
        }
        let refused = [
            of(ChannelKind::DingTalk, r#"{"errcode":310000,"errmsg":"sign not match"}"#),
            of(ChannelKind::WeCom, r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#),
            of(
                ChannelKind::Feishu,
                r#"{"code":19021,"msg":"sign match fail or timestamp is not within one hour"}"#,
            ),
            of(ChannelKind::Feishu, "<html>"),
            of(ChannelKind::WeCom, "{}"),
        ];
        let refused = refused.map(|refusal| refusal.unwrap() + "\n").concat();
        expect![[r#"
            it was answered with the code 310000: sign not match
            it was answered with the code 93000: invalid webhook url
            it was answered with the code 19021: sign match fail or timestamp is not within one hour
            it was answered with 200 and `<html>`, which says no code
            it was answered with 200 and `{}`, which says no code
        "#]]
        .assert_eq(&refused);
    }
}
