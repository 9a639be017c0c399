//! A provider that answers at once: Huawei Cloud's calls for resources, orders, prices, the balance and renewals, from memory,
//! without a look at signatures.

use std::collections::BTreeMap;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use perennial_domain::timestamp::Timestamp;
use serde_json::Value;
use serde_json::json;

/// What one page of resources holds.
const PAGE: usize = 100;
/// The month after the expiry that everything has: that of March, in seconds.
const MONTH: i64 = 31 * 86_400;

/// The provider, for as long as the process lives.
pub struct InstantCloud {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    expiries: Mutex<BTreeMap<String, Timestamp>>,
    renewals: AtomicU64,
    calls: AtomicU64,
    first_call: Mutex<Option<Instant>>,
}

impl InstantCloud {
    /// A provider with `resources` servers, which expire twenty days after `now`.
    pub fn start(resources: u32, now: &str) -> InstantCloud {
        let now = now.parse::<Timestamp>().expect("an instant");
        let expiry = now + 20 * 86_400 - 1;
        let expiries = (0..resources).map(|number| (format!("ecs-{number:06}"), expiry)).collect();
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has ports");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            expiries: Mutex::new(expiries),
            renewals: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            first_call: Mutex::new(None),
        });
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        InstantCloud { address, shared }
    }

    /// Where it is called.
    pub fn endpoint(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many calls it has had.
    pub fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::Relaxed)
    }

    /// How many renewals it has made.
    pub fn renewals(&self) -> u64 {
        self.shared.renewals.load(Ordering::Relaxed)
    }

    /// Forgets when it was called first.
    pub fn forget_first_call(&self) {
        *self.shared.first_call.lock().expect("no holder panics") = None;
    }

    /// When it was called first since then; waits for that.
    #[expect(clippy::disallowed_methods, reason = "a benchmark waits for the host that it measures")]
    pub fn first_call(&self) -> Instant {
        loop {
            if let Some(at) = *self.shared.first_call.lock().expect("no holder panics") {
                return at;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut received = Vec::new();
        let mut chunk = [0; 16_384];
        let (head, body) = loop {
            let read = stream.read(&mut chunk)?;
            if read == 0 {
                return Ok(());
            }
            received.extend_from_slice(&chunk[..read]);
            let Some(end) = received.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if received.len() >= end + 4 + length.unwrap_or(0) {
                break (head, received[end + 4..].to_vec());
            }
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.first_call.lock().expect("no holder panics").get_or_insert_with(Instant::now);
        let path = head.split(' ').nth(1).unwrap_or_default();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let answer = self.answer(path, &body).to_string();
        write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
            answer.len()
        )
    }

    fn answer(&self, path: &str, body: &Value) -> Value {
        let path = path.split('?').next().unwrap_or_default();
        let ids = body["resource_ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
        match path {
            "/v2/orders/suscriptions/resources/query" => self.resources(ids.collect(), body),
            "/v2/orders/subscriptions/resources/renew" => {
                let mut expiries = self.expiries.lock().expect("no holder panics");
                for id in ids {
                    if let Some(expiry) = expiries.get_mut(id) {
                        *expiry = *expiry + MONTH;
                        self.renewals.fetch_add(1, Ordering::Relaxed);
                    }
                }
                json!({ "order_ids": ["CS2603010000000001"] })
            }
            "/v2/orders/customer-orders" => json!({ "total_count": 0, "order_infos": [] }),
            "/v2/bills/ratings/period-resources/renew-rate" => {
                let price = |id: &str| json!({ "resource_id": id, "amount": "1.00" });
                json!({ "currency": "CNY", "renew_inquiry_results": ids.map(price).collect::<Vec<_>>() })
            }
            _ => {
                json!({ "account_balances": [{ "account_type": 1, "amount": 1_000_000_000.0, "currency": "CNY" }],
                "debt_amount": 0, "measure_id": 1, "currency": "CNY" })
            }
        }
    }

    fn resources(&self, ids: Vec<&str>, body: &Value) -> Value {
        let expiries = self.expiries.lock().expect("no holder panics");
        let row = |(id, expiry): (&str, &Timestamp)| {
            json!({ "resource_id": id, "resource_name": id, "region_code": "cn-north-4",
                "resource_type_code": "hws.resource.type.vm", "is_main_resource": 1, "status": 2,
                "effective_time": "2026-01-01T00:00:00Z", "expire_time": expiry.to_string(), "expire_policy": 0 })
        };
        let number = |name: &str, default| {
            body[name].as_u64().and_then(|it| usize::try_from(it).ok()).unwrap_or(default)
        };
        let (offset, limit) = (number("offset", 0), number("limit", PAGE));
        let (total, rows) = if ids.is_empty() {
            let page =
                expiries.iter().skip(offset).take(limit).map(|(id, expiry)| row((id.as_str(), expiry)));
            (expiries.len(), page.collect::<Vec<_>>())
        } else {
            let known = ids.iter().filter_map(|id| Some(row((*id, expiries.get(*id)?)))).collect::<Vec<_>>();
            (known.len(), known)
        };
        json!({ "total_count": total, "data": rows })
    }
}
