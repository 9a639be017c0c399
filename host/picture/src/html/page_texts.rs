//! The words that only the whole page has, in both languages; those of its drawings are in `texts`.

use perennial_formats::dates;
use perennial_formats::language::Language;
use perennial_formats::language::Text;

pub(super) const ACCOUNT: Text = Text { english: "Account", chinese: "账户" };
pub(super) const ALL_ARE_UTC: Text =
    Text { english: "All times are UTC.", chinese: "所有时间均为 UTC。" };
pub(super) const AMOUNTS_IN: Text =
    Text { english: "{0}, amounts in {1}", chinese: "{0}，金额单位 {1}" };
pub(super) const ANY_OUTCOME: Text = Text { english: "any outcome", chinese: "任意事件" };
pub(super) const ANY_STAGE: Text = Text { english: "any stage at the end", chinese: "任意期末阶段" };
pub(super) const CLOSING: Text = Text { english: "closing", chinese: "期末" };
pub(super) const DECLINES: Text = Text { english: "declines", chinese: "续费失败" };
pub(super) const DRAW_TO_ZOOM: Text = Text {
    english: "draw here to zoom, or Ctrl and wheel",
    chinese: "在此拖动或按 Ctrl 加滚轮缩放",
};
pub(super) const EXPIRES_COLUMN: Text = Text { english: "expires", chinese: "到期" };
pub(super) const FARED_WORST: Text = Text { english: "that fared worst", chinese: "状况最差的" };
pub(super) const FILTER: Text =
    Text { english: "Filter by id, kind, account", chinese: "按编号、类型、账户筛选" };
pub(super) const FILTER_LABEL: Text = Text {
    english: "Filter resources by id, kind or account",
    chinese: "按编号、类型或账户筛选资源",
};
pub(super) const FOLD: Text = Text { english: "fold all", chinese: "全部折叠" };
pub(super) const FROM_DAY: Text = Text { english: "From this day on", chinese: "从这一天起" };
pub(super) const FOUND: Text = Text { english: "{0} of {1}", chinese: "{0} / {1}" };
pub(super) const IN_TROUBLE: Text = Text { english: "{0} in trouble", chinese: "{0} 个异常" };
pub(super) const LEGEND: Text = Text { english: "Legend and switches", chinese: "图例与开关" };
pub(super) const NOT_DRAWN: Text = Text {
    english: "{0} not drawn: the page shows the {1} {2}, in whole bundles, so that a browser can open it. Balances and totals count all of them. ",
    chinese: "未绘制 {0}：为便于浏览器打开，页面按整个资源组只显示{2} {1} 个。余额与合计包含全部资源。",
};
pub(super) const NOT_DRAWN_OF_ACCOUNT: Text =
    Text { english: "{0} of this account not drawn", chinese: "此账户未绘制 {0}" };
pub(super) const ONLY_TROUBLE: Text = Text { english: "only trouble", chinese: "仅异常" };
pub(super) const OPENING: Text = Text { english: "opening", chinese: "期初" };
pub(super) const PAID: Text = Text { english: "paid", chinese: "已付" };
pub(super) const REFUNDED: Text = Text { english: "refunded", chinese: "已退" };
pub(super) const RENEWALS_TITLE: Text = Text { english: "Renewals", chinese: "续费" };
pub(super) const RENEWALS: Text = Text { english: "renewals", chinese: "续费" };
pub(super) const RESOURCES: Text = Text { english: "resources", chinese: "资源" };
pub(super) const SPAN: Text = Text { english: "{0} to {1}", chinese: "{0} 至 {1}" };
pub(super) const THAT_COME_FIRST: Text = Text { english: "that come first", chinese: "排在最前的" };
pub(super) const TO: Text = Text { english: "to", chinese: "至" };
pub(super) const TOOLS: Text =
    Text { english: "Filters, folding and zoom", chinese: "筛选、折叠与缩放" };
pub(super) const TOPPED_UP: Text = Text { english: "topped up", chinese: "充值" };
pub(super) const UNFOLD: Text = Text { english: "unfold all", chinese: "全部展开" };
pub(super) const UNTIL_DAY: Text = Text { english: "Up to this day", chinese: "到这一天为止" };
pub(super) const WHOLE: Text = Text { english: "all", chinese: "全部" };
pub(super) const ZOOM: Text = Text { english: "Zoom", chinese: "缩放" };
pub(super) const ZOOM_IN: Text = Text { english: "Zoom in", chinese: "放大" };
pub(super) const ZOOM_OUT: Text = Text { english: "Zoom out", chinese: "缩小" };

/// What is counted in the heading; in Chinese with the word that counts it.
pub(super) const ACCOUNT_COUNT: Text = Text { english: "account", chinese: "个账户" };
pub(super) const RESOURCE_COUNT: Text = Text { english: "resource", chinese: "个资源" };
pub(super) const OUTAGE_COUNT: Text = Text { english: "host outage", chinese: "次主机停机" };
pub(super) const RENEWAL_COUNT: Text = Text { english: "renewal", chinese: "次续费" };
pub(super) const DECLINE_COUNT: Text = Text { english: "decline", chinese: "次续费失败" };

/// A count with what is counted.
pub(super) fn counted(count: usize, noun: Text, language: Language) -> String {
    match language {
        Language::English => dates::counted(count, noun.english),
        Language::Chinese => format!("{} {}", dates::whole(count), noun.chinese),
    }
}
