//! A table with the settings of one account: what holds for each of its resources.

use plugin_sdk::MemberIndex;
use plugin_sdk::Refusal;
use plugin_sdk::Resource;
use plugin_sdk::Stage;
use plugin_sdk::calendar::Calendar;

use crate::refusals::Situation;
use crate::table::Kind;
use crate::table::Table;
use crate::values::LateStart;
use crate::values::SettingName;
use crate::values::Values;
use crate::words::quoted;

/// The rules of one account.
#[derive(Clone, Debug)]
pub(crate) struct Rules<'t> {
    pub(crate) table: &'t Table,
    pub(crate) values: Values,
}

impl<'t> Rules<'t> {
    /// Those of an account with these settings, and every problem of the settings. A setting that cannot be read is passed
    /// over: it was refused when it was set, and a newer table may have other settings.
    pub(crate) fn of(table: &'t Table, settings: &[(String, String)]) -> (Rules<'t>, Vec<String>) {
        let (mut values, mut problems) = (table.values.clone(), Vec::new());
        for (name, text) in settings {
            let known = |(setting, _): &&(SettingName, String)| setting.name() == name;
            match table.settings.iter().find(known) {
                Some((setting, _)) => {
                    if let Err(problem) = values.set(*setting, text) {
                        problems.push(format!("`{name}`: {problem}"));
                    }
                }
                None if table.settings.is_empty() => {
                    problems.push(format!("`{name}` is not a setting; `{}` has none", table.id));
                }
                None => {
                    let known = quoted(table.settings.iter().map(|(setting, _)| setting.name()));
                    problems.push(format!("`{name}` is not a setting; there are {known}"));
                }
            }
        }
        (Rules { table, values }, problems)
    }

    /// The provider's days.
    pub(crate) fn calendar(&self) -> Calendar {
        Calendar::ahead_of_utc(self.table.utc_offset_minutes)
    }

    pub(crate) fn kind(&self, resource: &Resource) -> &'t Kind {
        self.table.kind(&resource.kind)
    }

    /// How long it goes on serving after its expiry, in seconds.
    pub(crate) fn grace(&self, resource: &Resource) -> i64 {
        self.kind(resource).grace.unwrap_or(self.values.grace)
    }

    /// How long its data is kept after that, in seconds.
    pub(crate) fn retention(&self, resource: &Resource) -> i64 {
        self.kind(resource).retention.unwrap_or(self.values.retention)
    }

    /// The days of its tries.
    pub(crate) fn try_days(&self, resource: &Resource) -> &[i64] {
        self.kind(resource).try_days.as_ref().unwrap_or(&self.values.try_days)
    }

    /// From when a renewal counts in this stage.
    pub(crate) fn late_start(&self, stage: Stage) -> LateStart {
        match stage {
            Stage::Grace => self.values.grace_renewal,
            Stage::Retention => self.values.retention_renewal,
            Stage::Active | Stage::Released | Stage::Unsubscribed | Stage::Converted => LateStart::Expiry,
        }
    }

    pub(crate) fn refusal(&self, situation: Situation, message: impl Into<String>) -> Refusal {
        self.table.refusals.because(situation, message)
    }
}

/// The resources attached directly to one, with their indexes.
pub(crate) fn attached(
    bundle: &[Resource],
    to: MemberIndex,
) -> impl Iterator<Item = (MemberIndex, &Resource)> {
    (0..).zip(bundle).filter(move |(_, resource)| resource.attached_to == Some(to))
}
