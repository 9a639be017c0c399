//! Sessions: what a cookie holds of somebody who signed in, and what a form must show.
//!
//! A session is sealed and kept nowhere on the host. It names a token and is in force as long as that is, and no longer
//! than [`SECONDS`]. It has no token's secret in it. Which sessions somebody ended before that is in memory and, where the
//! secrets key would open their cookies again after a restart, in the database.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use perennial_domain::timestamp::Timestamp;
use perennial_engine::EngineTx;
use perennial_engine::clock;
use perennial_service::error::ServiceError;
use perennial_service::secrets::SecretBox;
use perennial_service::secrets::SecretsError;
use perennial_service::writer::WriterContext;
use perennial_store::ended_sessions;
use sha2::Digest;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::state::AppState;

/// How long a session lasts, in seconds: a working day.
pub(super) const SECONDS: i64 = 12 * 3600;
/// How many sessions are known at once that were ended.
const ENDED_MAX: u32 = 10_000;
/// What the seal binds a session to, so that no other secret of the host is taken for one.
const PURPOSE: &str = "a session of the console";

/// The session of somebody who signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// The ID of the token that was shown.
    pub(super) token: String,
    /// When it was shown, in real time.
    began_at: Timestamp,
    /// What nobody else knows, and forms are checked by.
    nonce: String,
}

impl Session {
    /// A session for the token `token`.
    ///
    /// # Errors
    ///
    /// [`getrandom::Error`] when the system has no random bits.
    pub(super) fn begin(token: &str, at: Timestamp) -> Result<Session, getrandom::Error> {
        let nonce = perennial_service::random_hex::random_hex::<16>()?;
        Ok(Session { token: token.to_owned(), began_at: at, nonce })
    }

    /// The session as a cookie has it.
    ///
    /// # Errors
    ///
    /// [`SecretsError`] when the system has no random bits.
    pub(super) fn seal(&self, secret_box: &SecretBox) -> Result<String, SecretsError> {
        let text = format!("{}\n{}\n{}", self.token, self.began_at.as_second(), self.nonce);
        Ok(URL_SAFE_NO_PAD.encode(secret_box.seal(text.as_bytes(), PURPOSE)?))
    }

    /// The session of a cookie; `None` when it was not sealed here, or is over at `now`.
    pub(super) fn open(cookie: &str, secret_box: &SecretBox, now: Timestamp) -> Option<Session> {
        let sealed = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let text = String::from_utf8(secret_box.open(&sealed, PURPOSE).ok()?).ok()?;
        let mut lines = text.split('\n');
        let (token, began_at, nonce) = (lines.next()?, lines.next()?.parse().ok()?, lines.next()?);
        let began_at = Timestamp::from_second(began_at);
        let is_in_force = (now - began_at) < SECONDS;
        is_in_force.then(|| Session { token: token.to_owned(), began_at, nonce: nonce.to_owned() })
    }

    /// What every form of the session has in it, and no other site can know.
    pub(super) fn form_token(&self) -> String {
        let digest = Sha256::digest(format!("a form of the console\n{}", self.nonce));
        hex::encode(&digest[..16])
    }

    /// Whether a form was made for this session.
    pub(super) fn made(&self, form_token: &str) -> bool {
        bool::from(self.form_token().as_bytes().ct_eq(form_token.as_bytes()))
    }
}

/// The sessions that somebody ended, until they would have been over. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct EndedSessions {
    /// When each of them was ended, by its form token.
    ended: Arc<Mutex<BTreeMap<String, Timestamp>>>,
}

impl EndedSessions {
    /// Ends the session with this form token: here at once and, where its cookie could be opened after a restart, in the database.
    ///
    /// # Errors
    ///
    /// [`ServiceError`] when the database does not keep it: the session is good again after a restart.
    pub(super) async fn end(&self, form_token: &str, app: &AppState) -> Result<(), ServiceError> {
        let now = clock::now();
        self.note(form_token, now);
        if app.secret_box().is_none() {
            return Ok(());
        }
        let (id, bounds) = (form_token.to_owned(), (now - SECONDS, ENDED_MAX));
        let keep = move |context: &mut WriterContext| {
            let write = |engine: &mut EngineTx<'_>| ended_sessions::insert(engine.tx(), &id, now, bounds);
            Ok::<_, ServiceError>(context.engine.in_transaction(write)?)
        };
        app.writer().call(keep).await
    }

    /// Whether a session was ended. Where the database cannot say so, it was, so that nobody is taken for signed in.
    pub(super) async fn contains(&self, session: &Session, app: &AppState) -> bool {
        let id = session.form_token();
        if self.lock().contains_key(&id) {
            return true;
        }
        if app.secret_box().is_none() {
            return false;
        }
        let known = app.read(move |db| Ok(ended_sessions::contains(db, &id)?)).await;
        known.unwrap_or_else(|problem| {
            let error = problem.detail;
            tracing::warn!(
                error,
                "it is not known whether somebody signed out of a session, so it is refused"
            );
            true
        })
    }

    fn note(&self, form_token: &str, now: Timestamp) {
        let mut ended = self.lock();
        ended.retain(|_, at| now - *at < SECONDS);
        if ended.len() >= ENDED_MAX as usize {
            let oldest = ended.iter().min_by_key(|(_, at)| **at).map(|(session, _)| session.clone());
            oldest.map(|session| ended.remove(&session));
        }
        ended.insert(form_token.to_owned(), now);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Timestamp>> {
        self.ended.lock().expect("nobody panics while looking at sessions")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_was_ended_stays_so_until_it_would_be_over() {
        let [one, two] = [1, 2].map(|_| Session::begin("0123456789ab", at(1_000)).unwrap());
        let ended = EndedSessions::default();
        ended.note(&one.form_token(), at(1_000));
        let has = |session: &Session| ended.lock().contains_key(&session.form_token());
        assert!(has(&one) && !has(&two));
        ended.note(&two.form_token(), at(1_000 + SECONDS));
        assert!(!has(&one) && has(&two));
        for number in 0..ENDED_MAX as usize {
            ended.note(&number.to_string(), at(1_001 + SECONDS));
        }
        assert_eq!(ended.lock().len(), ENDED_MAX as usize);
        assert!(!has(&two));
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second)
    }

    #[test]
    fn a_session_is_over_after_a_working_day() {
        let secret_box = SecretBox::new(&[1; 32]);
        let session = Session::begin("0123456789ab", at(1_000)).unwrap();
        let cookie = session.seal(&secret_box).unwrap();
        assert_eq!(Session::open(&cookie, &secret_box, at(1_000 + SECONDS - 1)), Some(session));
        assert_eq!(Session::open(&cookie, &secret_box, at(1_000 + SECONDS)), None);
    }

    #[test]
    fn a_session_that_was_not_sealed_here_is_none() {
        let secret_box = SecretBox::new(&[1; 32]);
        let session = Session::begin("0123456789ab", at(1_000)).unwrap();
        let cookie = session.seal(&secret_box).unwrap();
        assert_eq!(Session::open(&cookie, &SecretBox::new(&[2; 32]), at(1_000)), None);
        let other = secret_box.seal(b"0123456789ab\n1000\nabc", "a webhook").unwrap();
        assert_eq!(Session::open(&URL_SAFE_NO_PAD.encode(other), &secret_box, at(1_000)), None);
        for hostile in ["", "*", &cookie[1..], "AAAA"] {
            assert_eq!(Session::open(hostile, &secret_box, at(1_000)), None);
        }
    }

    #[test]
    fn a_form_of_another_session_is_not_taken() {
        let [one, two] = [1, 2].map(|_| Session::begin("0123456789ab", at(1_000)).unwrap());
        assert!(one.made(&one.form_token()));
        assert!(!one.made(&two.form_token()) && !one.made(""));
    }
}
