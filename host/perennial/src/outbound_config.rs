//! The sections of the configuration that say how messages leave the host: to webhooks, to providers and by e-mail.

use std::path::PathBuf;

use perennial_formats::body::JsonCursor;
use perennial_service::channels::email;
use perennial_service::channels::email::MailSecurity;
use perennial_service::channels::email::MailServer;
use perennial_service::connections::Connections;
use perennial_service::limits::Webhooks;

/// The keys of the section of the mail server.
pub(crate) const MAIL_KEYS: &[&str] =
    &["server", "port", "security", "from", "user", "password_file", "certificates"];

/// The keys of the section of connected accounts.
pub(crate) const CONNECTION_KEYS: &[&str] =
    &["allow_private", "allow_commands", "certificates", "full_sync_seconds", "incremental_sync_seconds"];
/// The longest time between two syncs of an account, in seconds: thirty days.
const SYNC_SECONDS_MAX: u32 = 2_592_000;

/// Reads how providers of connected accounts are called, and how often what they have is read again.
pub(crate) fn connections(cursor: JsonCursor<'_, '_>) -> Option<Connections> {
    let fields = cursor.object(CONNECTION_KEYS)?;
    let full = fields.optional("full_sync_seconds", |cursor| cursor.integer(60, SYNC_SECONDS_MAX));
    // 0 is never.
    let incremental =
        fields.optional("incremental_sync_seconds", |cursor| cursor.integer(0, SYNC_SECONDS_MAX));
    let flag = |name, default| fields.optional(name, |cursor| cursor.flag()).or(default);
    let allow_private = flag("allow_private", Connections::DEFAULT.allow_private);
    let allow_commands = flag("allow_commands", Connections::DEFAULT.allow_commands);
    let certificates = fields.optional("certificates", |cursor| cursor.name().map(PathBuf::from)).option();
    Some(Connections {
        allow_private: allow_private?,
        allow_commands: allow_commands?,
        is_unmetered: Connections::DEFAULT.is_unmetered,
        full_sync_seconds: full.or(Connections::DEFAULT.full_sync_seconds)?,
        incremental_sync_seconds: incremental.or(Connections::DEFAULT.incremental_sync_seconds)?,
        certificates: certificates?,
    })
}

/// Reads how events are sent to webhooks and to the robots of channels.
pub(crate) fn webhooks(cursor: JsonCursor<'_, '_>) -> Option<Webhooks> {
    let fields = cursor.object(&["allow_private", "certificates", "source"])?;
    let allow_private =
        fields.optional("allow_private", |cursor| cursor.flag()).or(Webhooks::DEFAULT.allow_private);
    let certificates = fields.optional("certificates", |cursor| cursor.name().map(PathBuf::from)).option();
    let source = fields.optional("source", |cursor| {
        let source = cursor.name()?;
        // Every URI is one of these, but for what no client of ours would take either.
        let is_uri = source.bytes().all(|byte| byte.is_ascii_graphic());
        if is_uri {
            Some(source.to_owned())
        } else {
            cursor.report_type("a URI such as \"https://perennial.example\"")
        }
    });
    Some(Webhooks { allow_private: allow_private?, certificates: certificates?, source: source.option()? })
}

/// Reads the mail server. A password is never sent in clear text.
pub(crate) fn mail_server(cursor: JsonCursor<'_, '_>) -> Option<MailServer> {
    let fields = cursor.object(MAIL_KEYS)?;
    let path = |name| fields.optional(name, |cursor| cursor.name().map(PathBuf::from)).option();
    let server = fields.required("server", |cursor| cursor.name().map(str::to_owned));
    let security =
        fields.optional("security", |cursor| cursor.one_of(&MailSecurity::ALL, MailSecurity::name));
    let security = security.or(MailSecurity::Tls);
    let port = fields.optional("port", |cursor| cursor.integer(1, u32::from(u16::MAX))).option();
    let from = fields.required("from", |cursor| {
        let from = cursor.name()?;
        if email::is_sender(from) {
            return Some(from.to_owned());
        }
        cursor.report_type("a sender such as \"Perennial <perennial@example.com>\"")
    });
    let user = fields.optional("user", |cursor| cursor.name().map(str::to_owned)).option();
    let (password_file, certificates) = (path("password_file"), path("certificates"));
    let (user, password_file, security) = (user?, password_file?, security?);
    if user.is_some() != password_file.is_some() {
        cursor.report("`user` and `password_file` go together: name both, or neither");
    }
    if user.is_some() && security == MailSecurity::None {
        cursor.report("a password would be sent in clear text; set `security` to `tls` or `starttls`");
    }
    let port = port?.and_then(|port| u16::try_from(port).ok()).unwrap_or(security.port());
    Some(MailServer {
        server: server?,
        port,
        security,
        from: from?,
        user,
        password_file,
        certificates: certificates?,
    })
}
