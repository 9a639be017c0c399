//! How bad it is that an event happened: what people choose by when they say what they want to be told of.

use crate::bundle::Stage;
use crate::event::EventKind;

/// How bad an event is, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// For the record: nobody has to do anything.
    Info,
    /// Somebody should look: something was refused, waits, or runs out.
    Warning,
    /// Something is lost or about to be, or nobody knows whether money was spent.
    Critical,
}

impl Severity {
    /// Every severity, for parsing and for lists of choices.
    pub const ALL: [Severity; 3] = [Severity::Info, Severity::Warning, Severity::Critical];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }

    /// How bad an event is: what the list of its types says, unless its fields make a difference.
    #[expect(clippy::wildcard_enum_match_arm, reason = "the list of types says it of all the others")]
    pub const fn of(what: &EventKind) -> Severity {
        match what {
            EventKind::StageChanged { to: Stage::Grace | Stage::Retention | Stage::Released, .. }
            | EventKind::RenewalDeclined { next_try_at: None, .. } => Severity::Critical,
            EventKind::PolicyRuled { shadow: true, .. } => Severity::Info,
            _ => what.usual_severity(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_lose_data_or_money_is_critical() {
        let released = EventKind::StageChanged { from: Stage::Retention, to: Stage::Released };
        let revived = EventKind::StageChanged { from: Stage::Grace, to: Stage::Active };
        let notice = EventKind::Notice { notice: "expiry_7_days".to_owned() };
        assert_eq!(Severity::of(&released), Severity::Critical);
        assert_eq!(Severity::of(&revived), Severity::Info);
        assert_eq!(Severity::of(&notice), Severity::Warning);
        assert!(Severity::Critical > Severity::Warning && Severity::Warning > Severity::Info);
    }
}
