//! Styles text for a terminal: colours and the width of lines. Knows escape sequences, and no contents.

use clap::builder::styling::AnsiColor;
use clap::builder::styling::Style as Ansi;

use perennial_domain::bundle::Stage;

/// How text for a terminal is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether escape sequences are written.
    pub(crate) colours: bool,
    /// How many columns a line may take; `None` is as many as it needs.
    pub(crate) width: Option<usize>,
}

/// What is said with a colour; never with a colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Text without a colour.
    Plain,
    /// A heading, in bold.
    Strong,
    /// What can be passed over.
    Faint,
    /// All is well.
    Good,
    /// Something that somebody should look at.
    Warning,
    /// Something was lost or refused.
    Bad,
}

impl Tone {
    /// The tone of a stage.
    pub(crate) fn for_stage(stage: Stage) -> Tone {
        match stage {
            Stage::Active => Tone::Good,
            Stage::Grace => Tone::Warning,
            Stage::Retention => Tone::Bad,
            Stage::Released | Stage::Unsubscribed | Stage::Converted => Tone::Faint,
        }
    }
}

impl Style {
    /// No escape sequences, and lines as long as they need to be.
    pub(crate) const PLAIN: Style = Style { colours: false, width: None };

    /// `text` as somebody who may overlook it should see it.
    pub(crate) fn alarm(self, text: &str) -> String {
        self.paint(Tone::Bad, text)
    }

    /// `text` in a tone.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
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
