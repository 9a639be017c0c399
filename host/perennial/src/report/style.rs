//! Styles text for a terminal, with colours or without. Knows escape sequences, and no contents.

use clap::builder::styling::AnsiColor;
use clap::builder::styling::Style as Ansi;

use perennial_domain::bundle::Stage;

/// Whether text for a terminal has colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether escape sequences are written.
    pub colours: bool,
}

/// What is said with a colour; never with a colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it is.
    Plain,
    /// A heading.
    Strong,
    /// What can be passed over.
    Faint,
    /// All is well.
    Good,
    /// Somebody should look.
    Warning,
    /// Something was lost or refused.
    Bad,
}

impl Tone {
    /// The tone of a stage.
    pub(super) fn for_stage(stage: Stage) -> Tone {
        match stage {
            Stage::Active => Tone::Good,
            Stage::Grace => Tone::Warning,
            Stage::Retention => Tone::Bad,
            Stage::Released | Stage::Unsubscribed | Stage::Converted => Tone::Faint,
        }
    }
}

impl Style {
    /// No escape sequences.
    pub(crate) const PLAIN: Style = Style { colours: false };

    /// `text` as somebody who may overlook it should see it.
    pub(crate) fn alarm(self, text: &str) -> String {
        self.paint(Tone::Bad, text)
    }

    /// `text` in a tone.
    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        let ansi = match tone {
            Tone::Plain => Ansi::new(),
            Tone::Strong => Ansi::new().bold(),
            Tone::Faint => Ansi::new().dimmed(),
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Warning => AnsiColor::Yellow.on_default(),
            Tone::Bad => AnsiColor::Red.on_default(),
        };
        if self.colours && !text.trim().is_empty() {
            format!("{ansi}{text}{ansi:#}")
        } else {
            text.to_owned()
        }
    }
}

/// `text` with characters that would steer a terminal made visible.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|sign| if sign.is_control() { char::REPLACEMENT_CHARACTER } else { sign }).collect()
}
