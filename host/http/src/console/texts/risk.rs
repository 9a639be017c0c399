//! Texts of what is at risk, and of acknowledging it. Knows no page.

use perennial_formats::language::Text;

texts! {
    ACKNOWLEDGED_FOR_GOOD: "acknowledged for good", "已确认，一直有效";
    ACKNOWLEDGED_UNTIL: "acknowledged until", "已确认至";
    ACKNOWLEDGE_FOR: "Acknowledge for", "确认时长";
    DEFERRED: "a policy put its renewal off until it has expired", "策略将续费推迟到到期之后";
    DENIED: "a policy denied its renewal", "策略拒绝了续费";
    FOR_GOOD: "good: it is not shown again at this stage", "一直有效：在此阶段不再显示";
    GRACE: "expired, and is stopped next", "已过期，接下来将停止服务";
    HELD: "its renewal waits for an approval", "续费等待审批";
    IN_DOUBT: "nobody knows whether its renewal was applied", "续费是否成功未知";
    ONE_DAY: "one day", "一天";
    ONE_WEEK: "one week", "一周";
    PACKAGE_ENDING: "the package ends soon, and no other follows", "资源包即将到期，且没有后续资源包";
    PACKAGE_USED_UP: "the package is used up, and no other is left", "资源包已用完，且没有其他资源包";
    PLUGIN_FAILING: "its plugin fails, and nothing of it is done", "插件失败，到期操作均未执行";
    PROBLEM: "its renewal does not succeed", "续费未成功";
    REJECTED: "its renewal was rejected, or nobody decided on it", "续费被拒绝，或无人审批";
    RETENTION: "stopped, and is released next", "已停止，接下来将被释放";
    SHORT_OF_MONEY: "there is not enough money for its renewal", "余额不足以续费";
    SNOOZE_UNTIL: "or until a date, such as 2026-01-31", "或确认至某日，如 2026-01-31";
    THIRTY_DAYS: "thirty days", "三十天";
    UNPROTECTED: "expires soon, and nothing renews it", "即将到期，且不会自动续费";
}
