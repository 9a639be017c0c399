//! Requests signed like those of the providers' SDKs: for whoever sends them, and for the bare handler that checks them.

use hmac::Hmac;
use hmac::KeyInit;
use hmac::Mac;
use serde::Deserialize;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

/// The host that every request names.
const HOST: &str = "bench";
/// When every request says it was signed: a second after the server's clock stands still.
const HUAWEI_DATE: &str = "20260101T000002Z";
const BAIDU_DATE: &str = "2026-01-01T00:00:02Z";

/// Whose API a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Api {
    /// Huawei Cloud's, with `SDK-HMAC-SHA256`.
    Huawei,
    /// Baidu AI Cloud's, with `bce-auth-v1`.
    Baidu,
}

/// A key of an account.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Key {
    /// Whose API it is for.
    pub api: Api,
    /// What requests call it by.
    pub access_key: String,
    /// What they are signed with.
    pub secret: String,
}

impl Key {
    /// The request that renews the server `id` by a month; `number` makes it different from every other.
    pub fn renewal(&self, id: &str, number: u64) -> String {
        match self.api {
            Api::Huawei => self.huawei(id, number),
            Api::Baidu => self.baidu(id, number),
        }
    }

    fn huawei(&self, id: &str, number: u64) -> String {
        let path = "/v2/orders/subscriptions/resources/renew";
        let body = format!(r#"{{"resource_ids":["{id}"],"period_type":2,"period_num":1,"is_auto_pay":1}}"#);
        let signature = hexadecimal(&hmac(
            self.secret.as_bytes(),
            &huawei_message("POST", path, &number.to_string(), body.as_bytes()),
        ));
        let Key { access_key, .. } = self;
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nX-Number: {number}\r\n\
             X-Sdk-Date: {HUAWEI_DATE}\r\nAuthorization: SDK-HMAC-SHA256 Access={access_key}, \
             SignedHeaders=content-type;host;x-number;x-sdk-date, Signature={signature}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    }

    fn baidu(&self, id: &str, number: u64) -> String {
        let path = format!("/v2/instance/{id}");
        let query = format!("clientToken=t{number}&purchaseReserved=&relatedRenewFlag=CDS_EIP");
        let body = r#"{"billing":{"reservation":{"reservationLength":1,"reservationTimeUnit":"Month"}}}"#;
        let prefix = format!("bce-auth-v1/{}/{BAIDU_DATE}/1800", self.access_key);
        let signing_key = hexadecimal(&hmac(self.secret.as_bytes(), prefix.as_bytes()));
        let signature = hexadecimal(&hmac(signing_key.as_bytes(), &baidu_message("PUT", &path, &query)));
        let length = body.len();
        format!(
            "PUT {path}?{query} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: {prefix}/host/{signature}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
    }

    /// Whether a request that came in was signed with this key: the same HMACs over the same text as the plugin has them
    /// made.
    pub fn is_signed(
        &self,
        (method, path, query): (&str, &str, &str),
        authorization: &str,
        number: &str,
        body: &[u8],
    ) -> bool {
        match self.api {
            Api::Huawei => {
                let made =
                    hexadecimal(&hmac(self.secret.as_bytes(), &huawei_message(method, path, number, body)));
                authorization.rsplit_once('=').is_some_and(|(_, sent)| sent == made)
            }
            Api::Baidu => {
                let mut parts = authorization.rsplitn(3, '/');
                let (sent, _, prefix) = (parts.next(), parts.next(), parts.next().unwrap_or_default());
                let signing_key = hexadecimal(&hmac(self.secret.as_bytes(), prefix.as_bytes()));
                let made = hexadecimal(&hmac(signing_key.as_bytes(), &baidu_message(method, path, query)));
                sent == Some(made.as_str())
            }
        }
    }
}

fn huawei_message(method: &str, path: &str, number: &str, body: &[u8]) -> Vec<u8> {
    let hash = hexadecimal(&Sha256::digest(body));
    let canonical = format!(
        "{method}\n{path}/\n\ncontent-type:application/json\nhost:{HOST}\nx-number:{number}\n\
         x-sdk-date:{HUAWEI_DATE}\n\ncontent-type;host;x-number;x-sdk-date\n{hash}"
    );
    let hash = hexadecimal(&Sha256::digest(canonical));
    format!("SDK-HMAC-SHA256\n{HUAWEI_DATE}\n{hash}").into_bytes()
}

fn baidu_message(method: &str, path: &str, query: &str) -> Vec<u8> {
    format!("{method}\n{path}\n{query}\nhost:{HOST}").into_bytes()
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
