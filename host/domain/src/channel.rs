//! The kinds of channels that people are told of events through. Knows their words; not how a message reaches one.

/// A kind of channel: what a message is sent to, and in which format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// Addresses of e-mail, each with a message of its own.
    Email,
    /// The robot of a group in DingTalk.
    DingTalk,
    /// The robot of a group in WeCom.
    WeCom,
    /// The robot of a group in Feishu, or in Lark.
    Feishu,
    /// An incoming webhook of Slack.
    Slack,
}

impl ChannelKind {
    /// Every kind, for parsing and for lists of choices.
    pub const ALL: [ChannelKind; 5] = [
        ChannelKind::Email,
        ChannelKind::DingTalk,
        ChannelKind::WeCom,
        ChannelKind::Feishu,
        ChannelKind::Slack,
    ];

    /// The word for it in every format.
    pub const fn name(self) -> &'static str {
        match self {
            ChannelKind::Email => "email",
            ChannelKind::DingTalk => "dingtalk",
            ChannelKind::WeCom => "wecom",
            ChannelKind::Feishu => "feishu",
            ChannelKind::Slack => "slack",
        }
    }

    /// Whether its messages are signed with a secret beside the URL.
    pub const fn takes_secret(self) -> bool {
        match self {
            ChannelKind::DingTalk | ChannelKind::Feishu => true,
            ChannelKind::Email | ChannelKind::WeCom | ChannelKind::Slack => false,
        }
    }
}
