//! Texts of the pages of plugins. Knows no page.

use perennial_formats::language::Text;

texts! {
    ACCOUNTS_PATTERN: "Accounts: an ID, or a pattern such as acme-*; empty is all of the provider's", "账户：编号，或 acme-* 这样的通配；留空为该云厂商的全部账户";
    ALL_QUESTIONS: "Every question that was answered otherwise", "每一个回答不同的问题";
    ASKED: "Asked", "询问次数";
    ASKED_BESIDE: "Asked beside", "对照版本";
    ASKS_FOR: "Asks for", "请求的额度";
    BIND: "Bind", "绑定";
    BIND_LEAD: "Bind this revision", "绑定此版本";
    BOUND: "Bound", "绑定情况";
    CHANGES: "What would change", "将会改变";
    CHANGES_HISTORY: "Changes of what is bound", "绑定的变更记录";
    DIFFERED: "Answered otherwise", "回答不同";
    EVIDENCE: "What is known of revision {}", "关于版本 {} 的已知情况";
    EVIDENCE_OF_BEFORE: "It is the one that decides no longer after this.", "它在此之后不再做决定。";
    FUEL: "Fuel a question", "每个问题的计算量";
    GOES_ON: "Carry out this change", "执行此变更";
    LIMITS: "Limits", "额度";
    LIMITS_USUAL: "those of every plugin", "与所有插件相同";
    MATCHES_NONE: "This matches no account that there is at present.", "目前没有与此匹配的账户。";
    MOVED_ON: "What is bound has changed since this was shown. Nothing was done; this is what would change now.", "显示之后绑定已发生变化。未执行任何操作；以下是现在将会改变的内容。";
    NEVER_TRIED: "It was never asked in shadow, so nothing is known of how it decides.", "它从未以影子方式运行，因此不知道它会如何决定。";
    NOT_FOLLOWED: "These parts of it are not followed:", "它的以下部分不会生效：";
    NOTHING_CHANGES: "Nothing would change: it is so already.", "不会有变化：现状已是如此。";
    ORIGIN: "Origin", "来源";
    PROMOTE: "Promote", "转正";
    REVISIONS: "Revisions that are kept", "保存的版本";
    ROLL_BACK: "Roll back", "回滚";
    SIGNED_BY: "Signed by", "签名者";
    SIZE: "Size", "大小";
    OF_THESE_ACCOUNTS: "The differences are about the accounts that this change is for; counts, fuel and time are about every account that it was bound to in shadow.", "差异只涉及此变更所针对的账户；次数、计算量和用时涉及它以影子方式绑定过的全部账户。";
    TRIALS: "How it was asked in shadow, about every account that it was bound to", "影子运行情况（它绑定过的全部账户）";
    TIME: "Time a question", "每个问题的用时";
    UNBIND: "Unbind", "解绑";
}
