//! A connector that means harm: whatever it answers, nothing but the granted reads of its manifest leaves the host.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use perennial_domain::account::Account;
use perennial_domain::account::Mode;
use perennial_domain::connector::Api;
use perennial_domain::connector::ApiIndex;
use perennial_domain::connector::CallContext;
use perennial_domain::connector::Capabilities;
use perennial_domain::connector::CloudBalance;
use perennial_domain::connector::Mutation;
use perennial_domain::connector::Outcome;
use perennial_domain::connector::Query;
use perennial_domain::connector::QueryAnswer;
use perennial_domain::connector::QueryFailure;
use perennial_domain::connector::Read;
use perennial_domain::connector::ReceivedResponse;
use perennial_domain::connector::SignatureEncoding;
use perennial_domain::connector::Signing;
use perennial_domain::connector::UnsignedRequest;
use perennial_domain::index::AccountIndex;
use perennial_domain::ledger::Balance;
use perennial_domain::manifest::Manifest;
use perennial_domain::micros::Micros;
use perennial_domain::plan::Refusal;
use perennial_domain::timeline::Occurrence;
use perennial_domain::timestamp::Timestamp;
use perennial_domain::usage::Allocation;
use perennial_domain::usage::Consumption;
use perennial_engine::connector::Connector;
use perennial_engine::rules::Rules;
use perennial_sandbox::PlanAnswer;
use perennial_sandbox::PlanRequest;
use perennial_sandbox::PluginError;
use perennial_sandbox::TimelineRequest;
use perennial_service::connections::Connections;
use perennial_service::connections::caller::CallError;
use perennial_service::connections::caller::Caller;
use perennial_service::connections::caller::ConnectedAccount;
use perennial_service::connections::secret_source::Secret;
use perennial_test_support::plugins;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// Huawei Cloud's rules with a connector that asks for the balance with whatever request it was made with.
struct Hostile {
    rules: Arc<dyn Rules>,
    capabilities: Capabilities,
    request: UnsignedRequest,
}

impl Rules for Hostile {
    fn manifest(&self) -> &Manifest {
        self.rules.manifest()
    }

    fn digest(&self) -> &str {
        self.rules.digest()
    }

    fn check_settings(&self, settings: &BTreeMap<String, String>) -> Result<Vec<String>, PluginError> {
        self.rules.check_settings(settings)
    }

    fn timelines(
        &self,
        accounts: &[&Account],
        requests: &[TimelineRequest<'_>],
    ) -> Vec<Result<Vec<Occurrence>, PluginError>> {
        self.rules.timelines(accounts, requests)
    }

    fn make_plans(
        &self,
        accounts: &[&Account],
        requests: &[PlanRequest<'_>],
    ) -> Vec<Result<PlanAnswer, PluginError>> {
        self.rules.make_plans(accounts, requests)
    }

    fn allocate(
        &self,
        accounts: &[&Account],
        consumptions: &[(AccountIndex, &Consumption)],
    ) -> Vec<Result<Vec<Allocation>, PluginError>> {
        self.rules.allocate(accounts, consumptions)
    }

    fn connector(&self) -> Option<&dyn Connector> {
        Some(self)
    }
}

impl Connector for Hostile {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn encode_query(
        &self,
        _: &CallContext<'_>,
        _: &Query,
    ) -> Result<Result<UnsignedRequest, Refusal>, PluginError> {
        Ok(Ok(self.request.clone()))
    }

    fn decode_query(
        &self,
        _: &CallContext<'_>,
        _: &Query,
        _: &ReceivedResponse,
    ) -> Result<Result<QueryAnswer, QueryFailure>, PluginError> {
        Ok(Ok(QueryAnswer::Balance(CloudBalance { currency: "CNY".to_owned(), available: Micros::ZERO })))
    }

    fn encode_mutation(
        &self,
        _: &CallContext<'_>,
        _: &Mutation,
    ) -> Result<Result<UnsignedRequest, Refusal>, PluginError> {
        Ok(Ok(self.request.clone()))
    }

    fn decode_mutation(
        &self,
        _: &CallContext<'_>,
        _: &Mutation,
        _: &ReceivedResponse,
    ) -> Result<Vec<Outcome>, PluginError> {
        Ok(Vec::new())
    }
}

fn capabilities() -> Capabilities {
    let read = |name: &str, method: &str, path: &str| Read {
        name: name.to_owned(),
        label: "Something to read".to_owned(),
        method: method.to_owned(),
        path: path.to_owned(),
        parameters: vec!["limit".to_owned()],
    };
    Capabilities {
        hosts: vec!["bss.example.com".to_owned()],
        apis: vec![Api { name: "all".to_owned(), calls: 1_000, seconds: 1 }],
        reads: vec![read("balance", "GET", "/balance"), read("orders", "GET", "/orders/{order}")],
        mutations: Vec::new(),
        find_targets_max: 1,
        changes: false,
        quote_targets_max: 0,
        balance: true,
    }
}

fn request(endpoint: &str, method: &str, path: &str, query: &str) -> UnsignedRequest {
    UnsignedRequest {
        api: ApiIndex::new(0),
        method: method.to_owned(),
        host: endpoint.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        signing: Signing {
            derivations: Vec::new(),
            key: 0,
            message: b"message".to_vec(),
            encoding: SignatureEncoding::Hexadecimal,
            header: "authorization".to_owned(),
            prefix: "Signature ".to_owned(),
            suffix: String::new(),
        },
    }
}

fn connected(endpoint: &str, request: UnsignedRequest) -> Arc<ConnectedAccount> {
    let rules = Arc::clone(&plugins::bundled()["huawei"]);
    let account = Account {
        id: "acme".to_owned(),
        provider: "huawei".to_owned(),
        mode: Mode::Connected,
        currency: "CNY".to_owned(),
        balance: Balance::default(),
        settings: BTreeMap::new(),
        approval_above: None,
        budget: None,
    };
    Arc::new(ConnectedAccount {
        account,
        rules: Arc::new(Hostile { rules, capabilities: capabilities(), request }),
        access_key: "AK1".to_owned(),
        secret: Secret::new(b"hush").unwrap(),
        endpoint: Some(format!("http://{endpoint}/")),
        grants: BTreeSet::from(["balance".to_owned()]),
    })
}

#[test]
fn nothing_but_a_granted_read_is_signed_whatever_a_plugin_answers() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = listener.local_addr().unwrap().to_string();
        let open = Connections { allow_private: true, ..Connections::DEFAULT };
        let caller = Caller::new(&open).unwrap();
        let at = Timestamp::from_second(0);
        for (method, path, query) in [
            ("POST", "/orders/renew", ""),
            ("POST", "/balance", ""),
            ("DELETE", "/orders/1", ""),
            ("GET", "/orders/1", ""),
            ("GET", "/balance", "renew"),
            ("GET", "/balance", "limit=1&%72enew=1"),
            ("GET", "/balance/", ""),
            ("GET", "/balance/../renew", ""),
            ("GET", "/orders/..", ""),
            ("GET", "/orders/1%2Fpay", ""),
            ("GET", "http://elsewhere.example/balance", ""),
        ] {
            let of = connected(&endpoint, request(&endpoint, method, path, query));
            let refused = caller.ask(&of, at, &Query::Balance).await.unwrap_err();
            let is_refused = matches!(refused, CallError::NotPermitted(_) | CallError::Misaddressed(_));
            assert!(is_refused, "{method} {path}?{query}: {refused}");
        }
        for host in ["elsewhere.example", "169.254.169.254", "bss.example.com"] {
            let of = connected(&endpoint, request(host, "GET", "/balance", ""));
            let refused = caller.ask(&of, at, &Query::Balance).await.unwrap_err();
            assert!(matches!(refused, CallError::Misaddressed(_)), "{host}: {refused}");
        }
        // The granted read is the first request that arrives, and the only one.
        let of = connected(&endpoint, request(&endpoint, "GET", "/balance", "limit=1"));
        let asked = tokio::spawn(async move { caller.ask(&of, at, &Query::Balance).await });
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        let read = stream.read(&mut head).await.unwrap();
        let head = String::from_utf8_lossy(&head[..read]).to_ascii_lowercase();
        assert!(head.starts_with("get /balance?limit=1 http/1.1\r\n"), "{head}");
        assert!(head.contains("authorization: signature ") && !head.contains("hush"), "{head}");
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        assert!(matches!(asked.await.unwrap(), Ok(QueryAnswer::Balance(_))));
    });
}
