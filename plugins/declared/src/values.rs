//! The values that an account may set otherwise, where its table lets it. Read from texts and written as texts.

use crate::words;
use crate::words::quoted;

/// From when a renewal counts that comes after the expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LateStart {
    /// From the expiry, as if it had come in time.
    Expiry,
    /// From the renewal; the days of the month are counted anew.
    Renewal,
    /// There is none.
    Refused,
}

impl LateStart {
    pub(crate) const ALL: [(&'static str, LateStart); 3] =
        [("expiry", LateStart::Expiry), ("renewal", LateStart::Renewal), ("refused", LateStart::Refused)];

    fn name(self) -> &'static str {
        match self {
            LateStart::Expiry => "expiry",
            LateStart::Renewal => "renewal",
            LateStart::Refused => "refused",
        }
    }
}

/// A value that a table may leave to accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SettingName {
    TryDays,
    TryHour,
    Grace,
    Retention,
    GraceRenewal,
    RetentionRenewal,
    RefundWithin,
    FeePercent,
}

impl SettingName {
    pub(crate) const ALL: [SettingName; 8] = [
        SettingName::TryDays,
        SettingName::TryHour,
        SettingName::Grace,
        SettingName::Retention,
        SettingName::GraceRenewal,
        SettingName::RetentionRenewal,
        SettingName::RefundWithin,
        SettingName::FeePercent,
    ];

    /// The name in a table and among an account's settings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            SettingName::TryDays => "try_days",
            SettingName::TryHour => "try_hour",
            SettingName::Grace => "grace",
            SettingName::Retention => "retention",
            SettingName::GraceRenewal => "grace_renewal",
            SettingName::RetentionRenewal => "retention_renewal",
            SettingName::RefundWithin => "refund_within",
            SettingName::FeePercent => "fee_percent",
        }
    }

    pub(crate) fn of(name: &str) -> Option<SettingName> {
        SettingName::ALL.into_iter().find(|setting| setting.name() == name)
    }
}

/// The values of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Values {
    /// Days before the day of the expiry; negative after it.
    pub(crate) try_days: Vec<i64>,
    /// `None` is the time of the day of the expiry.
    pub(crate) try_hour: Option<u8>,
    /// Seconds after the expiry.
    pub(crate) grace: i64,
    /// Seconds after grace.
    pub(crate) retention: i64,
    pub(crate) grace_renewal: LateStart,
    pub(crate) retention_renewal: LateStart,
    /// Seconds after the purchase within which something can be given back; `None` is always.
    pub(crate) refund_within: Option<i64>,
    /// Percent of what would come back.
    pub(crate) fee_percent: i64,
}

impl Values {
    /// What a table says that says nothing.
    pub(crate) const DEFAULT: Values = Values {
        try_days: Vec::new(),
        try_hour: None,
        grace: 0,
        retention: 0,
        grace_renewal: LateStart::Expiry,
        retention_renewal: LateStart::Expiry,
        refund_within: None,
        fee_percent: 0,
    };

    /// Sets one of them to what a text says.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub(crate) fn set(&mut self, setting: SettingName, text: &str) -> Result<(), String> {
        match setting {
            SettingName::TryDays => self.try_days = words::days(text)?,
            SettingName::TryHour => self.try_hour = hour(text)?,
            SettingName::Grace => self.grace = words::length(text)?,
            SettingName::Retention => self.retention = words::length(text)?,
            SettingName::GraceRenewal => self.grace_renewal = late_start(text)?,
            SettingName::RetentionRenewal => self.retention_renewal = late_start(text)?,
            SettingName::RefundWithin => {
                self.refund_within = if text == "always" { None } else { Some(words::length(text)?) };
            }
            SettingName::FeePercent => self.fee_percent = percent(text)?,
        }
        Ok(())
    }

    /// One of them, as [`Values::set`] reads it.
    pub(crate) fn text(&self, setting: SettingName) -> String {
        match setting {
            SettingName::TryDays => words::days_text(&self.try_days),
            SettingName::TryHour => self.try_hour.map_or("expiry".to_owned(), |hour| hour.to_string()),
            SettingName::Grace => words::length_text(self.grace),
            SettingName::Retention => words::length_text(self.retention),
            SettingName::GraceRenewal => self.grace_renewal.name().to_owned(),
            SettingName::RetentionRenewal => self.retention_renewal.name().to_owned(),
            SettingName::RefundWithin => self.refund_within.map_or("always".to_owned(), words::length_text),
            SettingName::FeePercent => self.fee_percent.to_string(),
        }
    }
}

fn hour(text: &str) -> Result<Option<u8>, String> {
    if text == "expiry" {
        return Ok(None);
    }
    let hour = text.parse::<u8>().ok().filter(|hour| *hour < 24);
    let wrong = || {
        format!(
            "`{text}` is no hour; write a whole number from 0 to 23, or `expiry` for the hour of the expiry"
        )
    };
    hour.map(Some).ok_or_else(wrong)
}

fn late_start(text: &str) -> Result<LateStart, String> {
    let found = LateStart::ALL.into_iter().find(|(name, _)| *name == text);
    let names = || quoted(LateStart::ALL.map(|(name, _)| name));
    found.map(|(_, start)| start).ok_or_else(|| format!("`{text}` is none of {}", names()))
}

fn percent(text: &str) -> Result<i64, String> {
    let percent = text.parse::<i64>().ok().filter(|percent| (0..=100).contains(percent));
    percent.ok_or_else(|| format!("`{text}` is no whole number from 0 to 100"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_read_as_it_is_written() {
        let mut values = Values {
            try_days: vec![7, 0, -1],
            try_hour: Some(3),
            grace: 43_200,
            retention: 15 * words::DAY,
            grace_renewal: LateStart::Renewal,
            retention_renewal: LateStart::Refused,
            refund_within: Some(5 * words::DAY),
            fee_percent: 10,
        };
        for start in [values.clone(), Values::DEFAULT] {
            for setting in SettingName::ALL {
                values.set(setting, &start.text(setting)).unwrap();
                assert_eq!(values.text(setting), start.text(setting));
            }
            assert_eq!(values, start);
        }
    }
}
