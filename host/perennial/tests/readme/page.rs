//! README.md as a list of commands. Knows how it is written; runs nothing.

/// The page itself.
const README: &str = include_str!("../../../../README.md");

/// What stands under one heading.
pub struct Section(&'static str);

impl Section {
    /// The section under this heading.
    pub fn named(heading: &str) -> Section {
        let begins = format!("\n## {heading}\n");
        let (_, rest) = README.split_once(&begins).unwrap_or_else(|| panic!("README has no `{heading}`"));
        Section(rest.split("\n## ").next().unwrap_or(rest))
    }

    /// The commands of its blocks that name no language, in order; lines that end in `\` go on in the next one.
    pub fn commands(&self) -> Vec<String> {
        let blocks = self.0.split("\n```").skip(1).step_by(2);
        let blocks = blocks.filter_map(|block| block.strip_prefix('\n'));
        let commands = blocks.flat_map(|block| {
            let joined = block.replace("\\\n", "\u{0}");
            joined.lines().map(|line| line.replace('\u{0}', "\\\n")).collect::<Vec<_>>()
        });
        let commands = commands.collect::<Vec<_>>();
        assert!(!commands.is_empty(), "the section has commands");
        commands
    }
}
