//! The promises, checked against the model after every step.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use perennial_domain::attempt::Key;
use perennial_domain::connected::protocol::State;
use perennial_domain::connected::record::CallRecord;
use perennial_domain::connected::record::Slot;
use perennial_domain::micros::Micros;
use perennial_domain::timestamp::Timestamp;
use perennial_store::engine_store::EngineReads;
use perennial_store::engine_store::EngineStore;

use crate::connected::cloud::Cloud;
use crate::connected::store::CountingStore;

/// What is remembered from check to check.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    /// The latest expiry that the host knew of each resource.
    expiries: BTreeMap<String, Timestamp>,
    /// What a person was wrong about: the record says so, and is wrong with the person.
    pub misjudged: BTreeSet<Key>,
}

impl Checker {
    /// Checks every promise that holds at every instant.
    ///
    /// # Errors
    ///
    /// What is broken.
    pub fn check<S: EngineStore>(&mut self, store: &CountingStore<S>, cloud: &Cloud) -> Result<(), String> {
        for ((resource, expires_before), times) in &cloud.applied {
            if *times > 1 {
                return Err(format!("1: {resource} from {expires_before} was paid for {times} times"));
            }
        }
        self.check_calls(store, cloud)?;
        self.check_expiries(store, cloud)
    }

    /// Each record says of the cloud what is so, and the money says what the records say.
    fn check_calls<S: EngineStore>(&self, store: &CountingStore<S>, cloud: &Cloud) -> Result<(), String> {
        let reads = store.reads();
        let mut held = BTreeMap::new();
        for call in reads.calls_sent_since(Timestamp::MIN).map_err(|error| error.to_string())? {
            let renewal = &call.record;
            if renewal.renewal().is_none() {
                self.check_command(renewal, cloud)?;
                continue;
            }
            if renewal.state.has_hold() && renewal.state != State::Reserved {
                *held.entry(call.account).or_insert(Micros::ZERO) += renewal.cost();
            }
            for extension in &renewal.extensions {
                let key = extension.key();
                let applied =
                    cloud.applied.get(&(key.resource.clone(), key.expires_before)).copied().unwrap_or(0);
                let is_settled = renewal.state == State::Settled;
                let is_unexplained = renewal.state.is_uncertain() || renewal.has_earlier_call();
                let is_right = is_unexplained || applied == u32::from(is_settled);
                if !is_right && !self.misjudged.contains(&key) {
                    return Err(format!(
                        "1: {} from {} is {:?} here and was applied {applied} times",
                        key.resource, key.expires_before, renewal.state
                    ));
                }
            }
        }
        for account in reads.accounts().map_err(|error| error.to_string())? {
            let balance = account.account.balance;
            let sum = store.sums.get(&account.row).copied().unwrap_or_default();
            if balance != sum {
                return Err(format!("4: the balance is {balance:?}, and its entries come to {sum:?}"));
            }
            if balance.available() < Micros::ZERO {
                return Err(format!("4: {} is available", balance.available()));
            }
            let expected =
                held.get(&account.row).copied().unwrap_or_default() + reserved(store, account.row)?;
            if balance.held() != expected {
                return Err(format!("4: {} is held, and renewals under way cost {expected}", balance.held()));
            }
        }
        Ok(())
    }

    /// Nothing is carried out twice under one name, and nothing that was said to have done nothing was. One case is inherent: a
    /// switch that was carried out and whose response got lost, on a resource that somebody switches back in the console
    /// before the reading that is conclusive. That reading shows what there was before, there is no order that would show more,
    /// and nobody can tell this from a switch that never arrived. It is made again, which is what was asked for here.
    fn check_command(&self, record: &CallRecord, cloud: &Cloud) -> Result<(), String> {
        let mut identity = record.call_identity();
        let is_misjudged = self.misjudged.contains(&record.key());
        for declines in 0..=record.declines {
            identity.declines = declines;
            let times = cloud.switched.get(&identity.to_string()).copied().unwrap_or(0);
            let is_hidden = record.slot() == Slot::OnExpiry
                && cloud.switched_by_others.contains(&record.named().resource);
            let allowed = u32::from(is_hidden || declines == record.declines);
            if times > allowed && !is_misjudged {
                return Err(format!("1: {identity} was carried out {times} times and is {:?}", record.state));
            }
        }
        Ok(())
    }

    /// Where the newest command is settled, the host knows what the cloud has.
    ///
    /// # Errors
    ///
    /// What is broken.
    pub fn check_settings<S: EngineStore>(
        &self,
        store: &CountingStore<S>,
        cloud: &Cloud,
        now: Timestamp,
    ) -> Result<(), String> {
        for id in cloud.ids().iter().filter(|id| !cloud.switched_by_others.contains(*id)) {
            let found = store.reads().find_bundle(id).map_err(|error| error.to_string())?;
            let (stored, member) = found.ok_or_else(|| format!("2: {id} is gone"))?;
            let (here, is_ended) = (&stored.bundle[member], cloud.is_ended(id, now));
            if is_ended != here.stage.is_final() {
                return Err(format!(
                    "2: {id} is {:?} here, and {is_ended} is said to have ended",
                    here.stage
                ));
            }
            let there = cloud.on_expiry(id, now);
            if !is_ended && here.on_expiry != there && !self.misjudged.iter().any(|key| key.resource == *id) {
                return Err(format!("2: {id} is to {:?} here and to {there:?} at the cloud", here.on_expiry));
            }
        }
        Ok(())
    }

    fn check_expiries<S: EngineStore>(
        &mut self,
        store: &CountingStore<S>,
        cloud: &Cloud,
    ) -> Result<(), String> {
        for id in cloud.ids() {
            let found = store.reads().find_bundle(&id).map_err(|error| error.to_string())?;
            let (stored, member) = found.ok_or_else(|| format!("2: {id} is gone"))?;
            let expiry = stored.bundle[member].expires_at.ok_or_else(|| format!("2: {id} has no expiry"))?;
            let before = self.expiries.insert(id.clone(), expiry).unwrap_or(expiry);
            // What a person wrongly said to be renewed is found out by the sync.
            if expiry < before && !self.misjudged.iter().any(|key| key.resource == id) {
                return Err(format!("5: the expiry of {id} went from {before} back to {expiry}"));
            }
        }
        Ok(())
    }
}

/// What is held for renewals that were never called, or wait to be called again.
fn reserved<S: EngineStore>(
    store: &CountingStore<S>,
    account: perennial_store::keys::AccountKey,
) -> Result<Micros, String> {
    let due = store.reads().due_calls_of(account, Timestamp::MAX, u32::MAX);
    let due = due.map_err(|error| error.to_string())?;
    let reserved = due.iter().filter(|call| call.record.state == State::Reserved);
    Ok(reserved.map(|call| call.record.cost()).sum())
}
