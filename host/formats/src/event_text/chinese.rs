//! Every event in one line of Chinese, field by field as the English line beside it.
//!
//! What people, providers and plugins wrote stays as they wrote it.

use perennial_domain::approval::ExpiryReason;
use perennial_domain::approval::State;
use perennial_domain::attempt::DeclineClass;
use perennial_domain::bundle::Stage;
use perennial_domain::event::Event;
use perennial_domain::event::EventKind;
use perennial_domain::ledger::Reason;
use perennial_domain::micros::Micros;
use perennial_domain::order::OrderKind;
use perennial_domain::plan::Cause;
use perennial_domain::plan::Scope;
use perennial_domain::ruling_kind::RulingKind;
use perennial_domain::term::Term;
use perennial_domain::term::TermUnit;

use super::Wording;
use super::doubt;
use super::short;
use super::signed;
use crate::dates;
use crate::language::Language;

/// The Chinese words of the events of an account.
pub(super) struct ChineseWording<'a>(pub(super) Wording<'a>);

impl ChineseWording<'_> {
    /// What happened, in one line of Chinese without the instant and the resource.
    pub(super) fn of(&self, event: &Event) -> String {
        let wording = self.0;
        match &event.what {
            EventKind::StageChanged { from, to } => {
                format!("{}（之前：{}）", stage_changed(*to), stage(*from))
            }
            EventKind::RenewalSettled {
                cost,
                expires_before,
                expires_at,
                term,
                extra_days,
                cause: by,
                primary,
                ..
            } => {
                let extra = if *extra_days == 0 { String::new() } else { format!("另加 {extra_days} 天") };
                let along = primary.as_ref().map_or(String::new(), |primary| format!("随 {primary} "));
                format!(
                    "已{along}{}续费 {}{extra}，费用 {}，到期时间由 {} 延至 {}",
                    cause(*by),
                    term_words(*term),
                    wording.money(*cost),
                    wording.instant(*expires_before),
                    wording.instant(*expires_at)
                )
            }
            EventKind::RenewalDeclined { code, message, class, next_try_at } => {
                let next = next_try_at
                    .map_or("不再尝试".to_owned(), |at| format!("下次尝试 {}", wording.instant(at)));
                format!("续费失败（{}）：{code} {message}；{next}", decline_class(*class))
            }
            EventKind::RenewalInDoubt { attempt, code } => {
                format!("续费结果未知（{code}）：{}；尝试 {attempt}", doubt::meaning(code, Language::Chinese))
            }
            EventKind::CommandInDoubt { command: name, code } => {
                let (name, meaning) = (command(name), doubt::meaning(code, Language::Chinese));
                format!("命令“{name}”结果未知（{code}）：{meaning}")
            }
            EventKind::ConnectionFailed { problem } => {
                format!("无法读取云厂商账户：{problem}；请检查密钥（`perennial account rotate`）和网络")
            }
            EventKind::ConnectionRestored => "又可以读取云厂商账户".to_owned(),
            EventKind::SendingLate { deadline, renewals, safe_start } => format!(
                "{renewals} 个续费无法在 {} 之前全部发送：本应从 {} 起发送；请提高配额或支出上限，或手动续费其中一部分",
                wording.instant(*deadline),
                wording.instant(*safe_start)
            ),
            EventKind::ApprovalRequested { approval, command: name, cause, cost, expires_at, .. } => {
                let what = match cause {
                    Cause::Auto => "自动续费".to_owned(),
                    Cause::Command => format!("命令“{}”", command(name)),
                };
                let (cost, until) = (wording.money(*cost), wording.instant(*expires_at));
                format!("{what}等待审批：{cost}，{approval}，截止 {until}")
            }
            EventKind::ApprovalDecided { approval, decision, decided_by, reason, will_retry } => {
                let goes_on = *will_retry || *decision == State::Approved;
                let decision = match decision {
                    State::Approved => "批准",
                    State::Rejected => "拒绝",
                    State::Pending | State::Expired => "处理",
                };
                format!(
                    "{approval} 已由 {decided_by} {decision}{}{}",
                    given(reason.as_deref()),
                    again(goes_on)
                )
            }
            EventKind::ApprovalGiven { approval, policy, given_by, reason } => {
                format!(
                    "{given_by} 已为策略 {policy} 批准 {approval}{}；仍需其他审批",
                    given(reason.as_deref())
                )
            }
            EventKind::ApprovalExpired { approval, reason, will_retry } => {
                format!("审批 {approval} 已过期：{}{}", approval_expiry(*reason), again(*will_retry))
            }
            EventKind::PolicyRuled { policy, ruling, command: name, reason, until, shadow, .. } => {
                let asked = if *shadow { "影子策略" } else { "策略" };
                let until = until.map_or(String::new(), |until| format!("至 {}", wording.instant(until)));
                format!("{asked} {policy} 对“{}”的裁决：{}{until}：{reason}", command(name), ruled(*ruling))
            }
            EventKind::PolicyNote { policy, text, .. } => format!("策略 {policy} 备注：{text}"),
            EventKind::PolicyInstalled { policy, digest, mode, changed_by, .. } => {
                let (version, mode) = (short(digest), bound(mode));
                format!("{changed_by} 已安装策略 {policy}，版本 {version}，{mode}")
            }
            EventKind::PolicyRemoved { policy, changed_by, .. } => {
                format!("{changed_by} 已移除策略 {policy}")
            }
            EventKind::PolicyCalendarChanged { calendar, removed, changed_by } => {
                let what = if *removed { "移除" } else { "更改" };
                format!("{changed_by} 已{what}策略日历 {calendar}")
            }
            EventKind::RevisionInstalled { provider, digest, origin, changed_by, granted, .. } => {
                let granted = granted.as_deref().map_or(String::new(), |granted| format!("，授予 {granted}"));
                format!("{changed_by} 已从 {origin} 安装 {provider} 的版本 {}{granted}", short(digest))
            }
            EventKind::RevisionBound { provider, accounts, mode, digest, digest_before, changed_by } => {
                let before = digest_before.as_deref().map(|before| format!("，取代 {}", short(before)));
                let (version, mode) = (short(digest), bound(mode));
                let before = before.unwrap_or_default();
                format!("{changed_by} 已将 {provider} 的版本 {version} 绑定到 {accounts}（{mode}）{before}")
            }
            EventKind::RevisionUnbound { provider, accounts, mode, digest_before, changed_by } => {
                let (version, mode) = (short(digest_before), bound(mode));
                format!("{changed_by} 已解除 {provider} 的版本 {version} 与 {accounts} 的绑定（{mode}）")
            }
            EventKind::OrderCreated { order, kind, cost, pay_until: Some(until) } => {
                format!("{}待支付，截止 {}：{order}", self.order_words(*kind, *cost), wording.instant(*until))
            }
            EventKind::OrderCreated { order, kind, cost, pay_until: None } => {
                format!("{}：{order}", self.order_words(*kind, *cost))
            }
            EventKind::OrderPaid { order, kind, cost, .. } => {
                let done = if *cost < Micros::ZERO { "已退还" } else { "已支付" };
                format!("{}{done}：{order}", self.order_words(*kind, *cost))
            }
            EventKind::OrderCancelled { order, kind, cost } => {
                format!("{}已取消：{order}", self.order_words(*kind, *cost))
            }
            EventKind::OrderExpired { order, kind, cost } => {
                format!("{}逾期未支付：{order}", self.order_words(*kind, *cost))
            }
            EventKind::PackageOrdered { pay_at, effective_at } => {
                format!(
                    "资源包已下单，{} 付款，{} 生效",
                    wording.instant(*pay_at),
                    wording.instant(*effective_at)
                )
            }
            EventKind::PackageBought { effective_at, expires_at, quota, cost, like } => format!(
                "已按 {like} 购买资源包，额度 {}，费用 {}，有效期 {} 至 {}",
                dates::amount(*quota),
                wording.money(*cost),
                wording.instant(*effective_at),
                wording.instant(*expires_at)
            ),
            EventKind::PackageUsed { amount, left } => {
                format!("已使用 {}，剩余 {}", dates::amount(*amount), dates::amount(*left))
            }
            EventKind::PackageRefilled { left } => format!("资源包已重置，剩余 {}", dates::amount(*left)),
            EventKind::PackageLow { left } => format!("资源包余量低，剩余 {}", dates::amount(*left)),
            EventKind::PackageDepleted { left } => format!("资源包已用尽，剩余 {}", dates::amount(*left)),
            EventKind::UsageUncovered { amount, resource_type } => {
                format!("{} 的 {resource_type} 用量没有资源包覆盖", dates::amount(*amount))
            }
            EventKind::CommandRefused { command: name, code, message } => {
                format!("命令“{}”被拒绝：{code} {message}", command(name))
            }
            EventKind::SettingChanged { setting, value: Some(value) } => {
                format!("设置 {setting} 现为 {value}")
            }
            EventKind::SettingChanged { setting, value: None } => format!("设置 {setting} 已清除"),
            EventKind::Unsubscribed { scope, refund, original_order, refunds, .. } => {
                let what = match scope {
                    Scope::All => "已退订",
                    Scope::Future => "已退订尚未开始的周期",
                };
                let traced = match (original_order, refunds.len()) {
                    (None, _) => String::new(),
                    (Some(order), ..=1) => format!("（订单 {order}）"),
                    (Some(order), orders) => format!("（共 {orders} 个订单，最早为 {order}）"),
                };
                format!("{what}，退款 {}{traced}", wording.money(*refund))
            }
            EventKind::Converted => "已转为按需计费".to_owned(),
            EventKind::BalanceChanged { amount, balance, reason } => {
                let (amount, balance) = (signed(*amount), wording.money(*balance));
                format!("{}：余额变动 {amount}，现为 {balance}", balance_reason(*reason))
            }
            EventKind::Notice { notice } => {
                format!(
                    "通知：{}",
                    wording.notices.get(notice).cloned().unwrap_or_else(|| notice.replace('_', " "))
                )
            }
            EventKind::PluginFailed { message, next_try_at: Some(next_try_at) } => {
                format!("插件失败：{message}；将于 {} 再次询问", wording.instant(*next_try_at))
            }
            EventKind::PluginFailed { message, next_try_at: None } => format!("插件失败：{message}"),
            EventKind::BundleParked { revision, message } => {
                format!("已搁置：版本 {} 在其上失败：{message}", short(revision))
            }
            EventKind::BundleUnparked { changed_by } => format!("不再搁置{}", reason_asked(changed_by)),
            EventKind::BreakerOpened { provider, revision, message, next_try_at } => format!(
                "{provider} 的版本 {} 全部失败，在 {} 之前不再询问：{message}",
                short(revision),
                wording.instant(*next_try_at)
            ),
            EventKind::BreakerClosed { revision, changed_by } => {
                format!("版本 {} 恢复询问{}", short(revision), reason_asked(changed_by))
            }
            EventKind::HostResumed { down_since } => {
                format!("主机恢复运行，停机始于 {}", wording.instant(*down_since))
            }
        }
    }

    fn order_words(&self, kind: OrderKind, cost: Micros) -> String {
        let what = match kind {
            OrderKind::Purchase => "购买",
            OrderKind::Renewal => "续费",
            OrderKind::Upgrade => "升配",
            OrderKind::Downgrade => "降配",
        };
        format!("{what}订单（{}）", self.0.money(cost.max(-cost)))
    }
}

pub(super) const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Active => "使用中",
        Stage::Grace => "宽限期",
        Stage::Retention => "保留期",
        Stage::Released => "已释放",
        Stage::Unsubscribed => "已退订",
        Stage::Converted => "已转按需",
    }
}

fn stage_changed(to: Stage) -> &'static str {
    match to {
        Stage::Active => "恢复使用",
        Stage::Grace => "已到期，仍可使用：进入宽限期",
        Stage::Retention => "已停止，数据保留：进入保留期",
        Stage::Released => "已释放，其数据一并删除",
        Stage::Unsubscribed => "已退订",
        Stage::Converted => "已转为按需计费",
    }
}

fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Auto => "自动",
        Cause::Command => "按命令",
    }
}

fn decline_class(class: DeclineClass) -> &'static str {
    match class {
        DeclineClass::Money => "余额不足",
        DeclineClass::Rule => "规则不允许",
        DeclineClass::Throttled => "被限流",
        DeclineClass::Provider => "云厂商原因",
    }
}

fn ruled(ruling: RulingKind) -> &'static str {
    match ruling {
        RulingKind::Denied => "拒绝",
        RulingKind::ApprovalRequired => "需要审批",
        RulingKind::Deferred => "推迟",
        RulingKind::Amended => "修改",
        RulingKind::Failed => "失败",
    }
}

fn approval_expiry(reason: ExpiryReason) -> &'static str {
    match reason {
        ExpiryReason::Undecided => "无人及时决定",
        ExpiryReason::Ended => "资源已结束",
        ExpiryReason::ExpiryMoved => "资源的到期时间已变",
        ExpiryReason::AutoRenewOff => "自动续费已关闭",
        ExpiryReason::OrderClosed => "订单不再等待支付",
    }
}

pub(super) const fn balance_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Opening => "期初余额",
        Reason::TopUp => "充值",
        Reason::Renewal => "续费",
        Reason::Purchase => "购买",
        Reason::Refund => "退款",
        Reason::Upgrade => "升配",
        Reason::Adjustment => "调整",
    }
}

/// The name of a command; one that is not known stays as it is.
fn command(name: &str) -> &str {
    match name {
        "renew" => "续费",
        "set_auto_renew" => "设置自动续费",
        "cancel_auto_renew" => "取消自动续费",
        "unsubscribe" => "退订",
        "convert_on_expiry" => "到期转按需",
        "cancel_conversion" => "取消转按需",
        "convert_now" => "立即转按需",
        "buy_again" => "再次购买",
        "change" => "变更规格",
        "subscribe" => "转包年包月",
        "pay_order" => "支付订单",
        "cancel_order" => "取消订单",
        other => other,
    }
}

fn bound(mode: &str) -> &'static str {
    if mode == "shadow" { "影子" } else { "生效" }
}

pub(super) fn term_words(term: Term) -> String {
    let unit = match term.unit {
        TermUnit::Day => "天",
        TermUnit::Month => "个月",
        TermUnit::Year => "年",
    };
    format!("{} {unit}", term.count)
}

fn given(reason: Option<&str>) -> String {
    reason.map_or(String::new(), |reason| format!("：{reason}"))
}

fn again(will_retry: bool) -> &'static str {
    if will_retry { "" } else { "；本周期不再提交" }
}

fn reason_asked(released_by: &Option<String>) -> String {
    released_by.as_ref().map_or_else(|| "：插件已应答".to_owned(), |by| format!("，由 {by} 放行"))
}
