//! The sentences of explanations in both languages: one table. What people, providers and plugins wrote stands in them as they
//! wrote it.

use perennial_formats::language::Text;

/// Makes a constant of each text, and a list of all for the tests.
macro_rules! texts {
    ($( $name:ident: $english:literal, $chinese:literal; )+) => {
        $( pub(super) const $name: Text = Text { english: $english, chinese: $chinese }; )+

        #[cfg(test)]
        const ALL_TEXTS: &[(&str, Text)] = &[$( (stringify!($name), $name), )+];
    };
}

// Where it is.
texts! {
    SINCE: " since {0}", "（自 {0} 起）";
    PAY_PER_USE: "`{0}` is active and pay-per-use: nothing of it is paid ahead, so it does not expire.", "`{0}` 使用中，按需计费：没有预付，因此不会到期。";
    ACTIVE: "`{0}` is active: it is paid for until {1}.", "`{0}` 使用中：已付费至 {1}。";
    GRACE: "`{0}` is in grace{1}: it expired at {2}, was not renewed, and goes on serving.", "`{0}` 处于宽限期{1}：已于 {2} 到期，未续费，仍可使用。";
    RETENTION: "`{0}` is in retention{1}: it expired at {2}, was not renewed, and is stopped or frozen; its data is kept.", "`{0}` 处于保留期{1}：已于 {2} 到期，未续费，已停机或冻结；数据保留。";
    RELEASED: "`{0}` is released{1}: it is gone, with whatever it held.", "`{0}` 已释放{1}：连同其内容一起消失。";
    UNSUBSCRIBED: "`{0}` is unsubscribed{1}{2}.", "`{0}` 已退订{1}{2}。";
    REFUNDED: ", and {0} came back for it", "，退回 {0}";
    CONVERTED: "`{0}` is pay-per-use{1}: nothing of it is paid ahead any more.", "`{0}` 已转为按需计费{1}：不再预付。";
    CAME_PAID: "It came there from {0} at {1}, because it is paid for.", "它于 {1} 从{0}进入此阶段，因为已付费。";
    CAME_DUE: "It came there from {0} at {1}, as it was due.", "它于 {1} 按期从{0}进入此阶段。";
    BY_SETTINGS: "{0} (By settings: {1}.)", "{0}（依据设置：{1}。）";
    SETTING_UNSET: "`{0}` is not set", "`{0}` 未设置";
    SETTING_DEFAULT: "`{0}` is `{1}` by default", "`{0}` 默认为 `{1}`";
    SETTING_IS: "`{0}` is `{1}`", "`{0}` 为 `{1}`";
    // Why.
    ENDED: "Nothing happens to it any more by itself.", "它不会再自行发生任何变化。";
    NO_CLOCK: "The clock has nothing to do with what is pay-per-use.", "按需计费的资源不由时钟处理。";
    AWAITS_CLOCK: "It was imported and waits for a clock: `perennial run` or `perennial serve` looks at it before anything else, as of the instant at which it starts.", "它已导入，等待时钟：`perennial run` 或 `perennial serve` 启动时会以启动时刻首先处理它。";
    PLUGIN_MISSING: "No plugin of `{0}` is loaded, so nothing that is due for it is done; load one with `--plugin FILE`.", "没有加载 `{0}` 的插件，因此到期的操作均不会执行；请用 `--plugin FILE` 加载。";
    PLUGIN_FAILING: "The plugin of `{0}` gives no usable answer about it, so it stays as it is, whatever is due: {1}.{2}", "`{0}` 的插件没有给出可用的答复，因此无论什么到期，它都保持不变：{1}。{2}";
    PARKED: " It is parked since {0}: the plugin is asked about it again from time to time, as soon as another revision of it decides, and when somebody releases it with `perennial plugin release`.", "自 {0} 起已搁置：会不时重新询问插件；当插件的另一个版本开始决策，或有人用 `perennial plugin release` 放行时，也会重新询问。";
    AWAITS_PAYMENT: "Its order `{0}`, made at {1}, waits to be paid until {2}; meanwhile the provider renews it in no other way.", "它的订单 `{0}` 创建于 {1}，等待支付至 {2}；在此期间云服务商不以其他方式续费。";
    DEFERRED: "The policy `{0}` put its renewal off until {1}: {2}.", "策略 `{0}` 将续费推迟到 {1}：{2}。";
    DENIED: "The policy `{0}` denied its renewal at {1}: {2}. It is asked again at the next try.", "策略 `{0}` 于 {1} 拒绝了续费：{2}。下次尝试时会再次询问。";
    REJECTED: "`{0}` rejected its renewal (`{1}`) at {2}{3}.", "`{0}` 于 {2} 拒绝了续费（`{1}`）{3}。";
    REJECTED_WHY: ": {0}", "：{0}";
    UNDECIDED: "Nobody decided on its renewal (`{0}`) by {1}.", "截至 {1} 无人对续费（`{0}`）作出决定。";
    NOT_ASKED_AGAIN: "{0} The clock does not ask for it again in this period; a person may renew it.", "{0}本周期内时钟不再提交；可由人工续费。";
    NOT_RENEWED: "It renews itself, but the provider tries no renewal of it any more in this period; a person may renew it.", "它会自动续费，但本周期内云服务商不再尝试；可由人工续费。";
    RENEWS_WITH: "It is renewed together with `{0}`, to which it is attached.", "它随所挂载的 `{0}` 一起续费。";
    CONVERTS: "It is set to become pay-per-use when it expires.", "已设置为到期转按需计费。";
    RELEASES: "It is set to be released when it expires.", "已设置为到期释放。";
    RENEWS: "Auto-renew is on: the clock renews it{0}{1}.", "已开启自动续费：由时钟续费{0}{1}。";
    RENEWS_FOR: " for {0}", " {0}";
    RENEWS_MORE: ", {0} more", "，还剩 {0}";
    COUNT_USED_UP: "Auto-renew is off, because its count of automatic renewals is used up", "自动续费已关闭，因为自动续费次数已用完";
    AUTO_RENEW_OFF: "Auto-renew is off", "未开启自动续费";
    LEFT_OUT: "; the renewal of `{0}`, to which it is attached, leaves it out: {1} ({2})", "；所挂载的 `{0}` 续费时不包含它：{1}（{2}）";
    NOT_ALONG: "; the renewal of `{0}`, to which it is attached, does not renew it", "；所挂载的 `{0}` 续费时不会一起续费";
    NOBODY_RENEWS: "{0}{1}. Nobody renews it but a person.", "{0}{1}。只能由人工续费。";
    WAITS_AUTO: "Its automatic renewal", "它的自动续费";
    WAITS_COMMAND: "What somebody commanded", "有人下达的命令";
    WAITS: "{0} for {1} waits for the approval `{2}` until {3}{4}.", "{0}（{1}）等待审批 `{2}`，截止 {3}{4}。";
    BECAUSE: ", because {0}", "，因为{0}";
    AND: ", and ", "；并且";
    REQUIRES: "the policy `{0}` requires one{1}: {2}", "策略 `{0}` 要求{1}审批：{2}";
    REQUIRES_BY: " by `{0}`", "由 `{0}` ";
    ABOVE_LIMIT: "it costs more than `approval_above`, {0}", "费用超过 `approval_above`（{0}）";
    DECLINED: "Its renewal was declined {0} in this period, last at {1}, {2}: {3} ({4}).", "本周期续费失败 {0}，最近一次在 {1}，{2}：{3}（{4}）。";
    FOR_MONEY: "for want of money", "余额不足";
    BY_RULE: "by a rule of the provider's", "因云服务商的规则";
    THROTTLED: "because the provider received too many requests", "因云服务商收到的请求过多";
    PROVIDER_FAILED: "because the provider could not renew it", "云服务商未能续费";
    // What comes next.
    NOT_KNOWN: "What comes next is not known.", "接下来会发生什么未知。";
    UNLESS_RENEWED: ", unless it is renewed before,", "（如果此前没有续费）";
    STEP: "At {0}{1} {2}.", "{0}{1}：{2}。";
    ITS_TRY: "its renewal is tried", "尝试续费";
    TRY_OF: "the renewal of `{0}`, to which it is attached, is tried", "尝试续费所挂载的 `{0}`";
    COSTS_AND_PAYS: "; the plan costs {0}, and pays for it until {1}", "；计划费用 {0}，可续至 {1}";
    COSTS: "; the plan costs {0}", "；计划费用 {0}";
    ASKED_BEFORE: "; policies asked before that: {0}", "；事先询问的策略：{0}";
    BUT: ". But as it looks now {0}", "。但目前看来，{0}";
    TRY_STEP: "At {0} {1}{2}{3}{4}.", "{0}：{1}{2}{3}{4}。";
    NO_ANSWER: "the plugin gives no usable answer", "插件没有给出可用的答复";
    PROVIDER_REFUSES: "the provider refuses it: {0} ({1})", "云服务商会拒绝：{0}（{1}）";
    NOT_APPROVED: "nobody approved of it in this period, and the try does nothing", "本周期无人批准，尝试不会执行";
    WAITS_FOR: "it waits for the approval `{0}`, and the try does nothing before that", "它等待审批 `{0}`，此前尝试不会执行";
    SHORT_OF_MONEY: "the balance does not suffice: {0} needed, {1} available", "余额不足：需要 {0}，可用 {1}";
    WILL_WAIT: "it waits for an approval then, because it costs more than `approval_above`, {0}", "届时需要审批，因为费用超过 `approval_above`（{0}）";
    APPROVAL_ENDS: "At {0} the approval ends: if nobody has decided, {1}.", "{0} 审批到期：若无人决定，{1}。";
    SET_BACK: "it is not renewed in this period, whatever `on_undecided` says: the database was set back", "本周期不续费，无论 `on_undecided` 如何设置：数据库曾被回退";
    LAPSES: "it is not renewed in this period (`on_undecided` is `lapse`)", "本周期不续费（`on_undecided` 为 `lapse`）";
    RENEWS_ANYWAY: "it is renewed all the same (`on_undecided` is `renew`)", "仍然续费（`on_undecided` 为 `renew`）";
    NOT_DONE: "what was commanded is not done", "命令不会执行";
    ORDER_ENDS: "After {0} the order can no longer be paid, and expires.", "{0} 之后订单不能再支付，随即过期。";
    PLUGIN_ASKED: "At {0} the plugin is asked again; what was due by then is made up for.", "{0} 会再次询问插件；此前到期的会补上。";
    // What was decided last.
    ANSWER_DAMAGED: "but what is kept of its answer is damaged; see `perennial replay`", "但保存的答复已损坏；参见 `perennial replay`";
    AND_REFUSED: "and refused: {0} ({1})", "结果为拒绝：{0}（{1}）";
    AND_PLANNED: "and planned {0}{1}", "计划了 {0}{1}";
    LEAVING_OUT: ", leaving out: {0}", "，未包含：{0}";
    DECISION: "The last decision, {0}, was made at {1}: `{2}` was asked to `{3}` `{4}`, {5}.", "最近的决策 {0} 作于 {1}：就 `{4}` 向 `{2}` 询问 `{3}`，{5}。";
    SOMETHING_OF: "something of", "某事";
    RULED: "`{0}` ruled {1}{2}", "`{0}` 裁决为{1}{2}";
    RULED_WHY: " ({0})", "（{0}）";
    RULING_DAMAGED: "what is kept of it is damaged; see `perennial replay`", "保存的内容已损坏；参见 `perennial replay`";
    RULING: "Policies were asked last about `{0}` at {1}, in decision {2}: {3}.", "最近一次就 `{0}` 询问策略是在 {1}，决策 {2}：{3}。";
    // What stands between things that are listed, and what is counted.
    COMMA: ", ", "，";
    SEMICOLON: "; ", "；";
    TIMES: "{0}", "{0} 次";
    STEPS: "{0}", "{0} 个步骤";
}

/// The rulings in words.
pub(super) const RULINGS: [(&str, Text); 6] = [
    ("approve", Text { english: "approve", chinese: "批准" }),
    ("deny", Text { english: "deny", chinese: "拒绝" }),
    ("require_approval", Text { english: "require approval", chinese: "要求审批" }),
    ("defer", Text { english: "defer", chinese: "推迟" }),
    ("amend", Text { english: "amend", chinese: "修改" }),
    ("fail", Text { english: "fail", chinese: "出错" }),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_has_the_same_parts_in_both_languages() {
        for (name, text) in ALL_TEXTS {
            for place in 0..6 {
                let place = format!("{{{place}}}");
                assert_eq!(text.english.contains(&place), text.chinese.contains(&place), "{name}: {place}");
            }
            let is_chinese = !text.chinese.is_ascii();
            assert!(is_chinese || text.english == text.chinese || *name == "RENEWS_FOR", "{name}");
        }
    }
}
