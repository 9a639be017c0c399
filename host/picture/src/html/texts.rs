//! The words of drawings in both languages. What only the whole page says is in English where it is written.

use perennial_domain::bundle::Stage;
use perennial_formats::dates;
use perennial_formats::event_text;
use perennial_formats::language::Language;
use perennial_formats::language::Text;

use crate::event_category::EventCategory;
use crate::resource_track::ResourceTrack;

pub(super) const AND_MORE: Text = Text { english: "and {0} more", chinese: "另有 {0} 条" };
pub(super) const AT_THE_END: Text = Text { english: "at the end", chinese: "期末" };
pub(super) const AT_NOW: Text = Text { english: "now", chinese: "现在" };
pub(super) const BALANCE: Text = Text { english: "Balance", chinese: "余额" };
pub(super) const BALANCE_AT: Text =
    Text { english: "balance {0} {1}\n{2}: {3}", chinese: "余额 {0} {1}\n{2}：{3}" };
pub(super) const BALANCE_OF: Text = Text {
    english: "balance of {0}: {1} at the start, {2} at the end, {3} at its lowest",
    chinese: "{0} 的余额：期初 {1}，期末 {2}，最低 {3}",
};
pub(super) const BALANCE_AT_THE_END_OF: Text =
    Text { english: "balance of {0} at the end", chinese: "{0} 的期末余额" };
pub(super) const CHANGES: Text = Text { english: "{0}, lowest {1}", chinese: "{0}，最低 {1}" };
pub(super) const CHANGES_OF_A_DAY: Text = Text { english: "in all {0}", chinese: "合计 {0}" };
pub(super) const EXPIRES: Text = Text { english: "expires {0}", chinese: "{0} 到期" };
pub(super) const FROM_ON: Text = Text { english: "{0} from {1} on", chinese: "{0}，自 {1} 起" };
pub(super) const FROM_TO: Text = Text { english: "{0} from {1} to {2}", chinese: "{0}，{1} 至 {2}" };
pub(super) const HOST_DOWN: Text = Text { english: "host down", chinese: "主机停机" };
pub(super) const HOST_DOWN_FROM_TO: Text =
    Text { english: "host down\nfrom {0} to {1}", chinese: "主机停机\n{0} 至 {1}" };
pub(super) const IF_NOTHING_IS_DONE: Text =
    Text { english: "ahead, if nothing is done", chinese: "未来（若不作处理）" };
pub(super) const LANE_AT_THE_END: Text =
    Text { english: "{0}, {1}, at the end {2}; {3}, {4}", chinese: "{0}，{1}，期末{2}；{3}，{4}" };
pub(super) const LANE_NOW: Text =
    Text { english: "{0}, {1}, {2}; {3}, {4}", chinese: "{0}，{1}，{2}；{3}，{4}" };
pub(super) const LOWEST_ON: Text = Text { english: "lowest {0} on {1}", chinese: "最低 {0}，{1}" };
pub(super) const NOW: Text = Text { english: "now", chinese: "现在" };
pub(super) const PAID_PERIOD: Text = Text { english: "paid period begins", chinese: "付费周期开始" };
pub(super) const PAID_UNTIL: Text = Text { english: "paid until", chinese: "到期" };
pub(super) const PAY_PER_USE: Text = Text { english: "pay-per-use", chinese: "按需计费" };
pub(super) const STAGE_EXPIRES: Text = Text { english: "{0}, expires {1}", chinese: "{0}，{1} 到期" };
pub(super) const THE_END: Text = Text { english: "the end", chinese: "期末" };
pub(super) const TIME_AXIS: Text = Text { english: "Time axis, {0}", chinese: "时间轴，{0}" };
pub(super) const TRIES: Text = Text { english: "tries of a renewal", chinese: "续费尝试" };
pub(super) const WHOLE_ACCOUNT: Text =
    Text { english: "what happened to the account as a whole", chinese: "整个账户的事件" };
const CHANGE: Text = Text { english: "change", chinese: "变动" };

/// What each bar means: the class that draws it, and its words.
pub(super) const BARS: [(&str, Text); 5] = [
    ("active", Text { english: "active: paid for", chinese: "使用中：已付费" }),
    ("grace", Text { english: "grace: expired, still serving", chinese: "宽限期：已到期，仍可用" }),
    ("retention", Text { english: "retention: stopped, data kept", chinese: "保留期：已停机，保留数据" }),
    ("usage", PAY_PER_USE),
    ("package", Text { english: "package, filled with what is left", chinese: "资源包，填充部分为余量" }),
];

/// What each end of a life means: its letter, the stage, and its words.
pub(super) const CAPS: [(&str, Stage, Text); 3] = [
    ("R", Stage::Released, Text { english: "released", chinese: "已释放" }),
    ("U", Stage::Unsubscribed, Text { english: "unsubscribed", chinese: "已退订" }),
    ("P", Stage::Converted, Text { english: "converted", chinese: "已转按需" }),
];

/// Where a resource is, in words.
pub(super) fn state(track: &ResourceTrack, language: Language) -> &'static str {
    if track.is_pay_per_use() {
        PAY_PER_USE.of(language)
    } else {
        event_text::stage_words(track.stage, language)
    }
}

/// How many events of a category there were, such as `3 declines`.
pub(super) fn counted(count: usize, category: EventCategory, language: Language) -> String {
    counted_text(count, category.noun_in(language), language)
}

/// How many changes there were.
pub(super) fn counted_changes(count: usize, language: Language) -> String {
    counted_text(count, CHANGE.of(language), language)
}

fn counted_text(count: usize, noun: &str, language: Language) -> String {
    match language {
        Language::English => dates::counted(count, noun),
        Language::Chinese => format!("{noun} {} 次", dates::whole(count)),
    }
}
