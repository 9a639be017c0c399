//! The texts of the console in both languages: one table, with a name for each. Knows no page.

#[cfg(test)]
mod tests;

use perennial_formats::language::Text;

/// Makes a constant of each text, and a list of all for the tests.
macro_rules! texts {
    ($( $name:ident: $english:literal, $chinese:literal; )+) => {
        $( pub(super) const $name: Text = Text { english: $english, chinese: $chinese }; )+

        /// Every text with its name.
        #[cfg(test)]
        const ALL_TEXTS: &[(&str, Text)] = &[$( (stringify!($name), $name), )+];
    };
}

texts! {
    ACCESS_KEY: "Access key", "访问密钥";
    ACCOUNT: "Account", "账户";
    ACCOUNTS: "Accounts", "账户";
    ACCOUNTS_LIST: "Accounts, with commas between them; none is all", "账户，以逗号分隔；留空为全部";
    ACKNOWLEDGE: "Acknowledge", "确认";
    ACKNOWLEDGED: "acknowledged: {}", "已确认：{}";
    ACKNOWLEDGED_CAPTION: "Warnings that somebody has acknowledged", "已有人确认的警告";
    ADDRESS: "Address", "地址";
    ADVANCE: "Move the clock", "推进时钟";
    ADVANCE_LEAD: "The clock is virtual and stands still until somebody moves it. Everything that is due until then is done on the way.", "时钟是虚拟的，有人推进之前保持静止。推进时，其间到期的一切都会被执行。";
    ADVANCE_TO: "Move to", "推进到";
    ALL: "All", "全部";
    ALL_EVENTS: "All events of this resource", "此资源的全部事件";
    ALL_OF_FILTER: "all that pass the filter", "符合筛选条件的全部";
    AMENDED_COST: "Cost as amended", "修改后的费用";
    AMOUNT: "Amount", "金额";
    ANSWER: "Answer", "回答";
    API_DOCUMENTATION: "API documentation", "API 文档";
    APPLY: "Apply", "应用";
    APPROVAL: "Approval", "审批";
    APPROVALS: "Approvals", "审批";
    APPROVALS_CAPTION: "{} plan{s}, {}", "{} 个计划，{}";
    APPROVAL_ABOVE: "Approval above", "超过此金额需审批";
    APPROVE: "Approve", "批准";
    ASKED_ABOUT: "Asked about", "适用于";
    ASK_FOR_APPROVAL: "Ask for approval", "提交审批";
    ATTACHED_TO: "Attached to", "挂载于";
    ATTEMPTS: "Attempts", "尝试次数";
    AT_ONCE: "at once", "即时";
    AT_RISK: "At risk", "有风险";
    AT_RISK_CAPTION: "{} resource{s}, the greatest loss first", "{} 个资源，损失最大的在前";
    AUDIT: "Audit", "审计";
    AWAITING_DECISION: "Awaiting a decision", "等待决定";
    AWAITING_MINE: "Awaiting my decision", "等待我的决定";
    BACK: "Back", "返回";
    BALANCE: "Balance", "余额";
    BALANCE_AFTER: "Balance after", "执行后余额";
    BALANCE_BEFORE: "Balance before", "执行前余额";
    BALANCE_THEN: "Balance at its end", "月末余额";
    BECAUSE: "Because", "原因";
    BINDING: "Binding (TOML)", "绑定（TOML）";
    BINDINGS: "Which revision decides for whom", "哪些账户由哪个版本决策";
    BOOKS: "Books", "账簿";
    BUDGET: "Budget by month", "月度预算";
    BUY_AGAIN_LEAD: "Both left empty, the package takes effect immediately after payment. With a custom time, it takes effect then; if it is paid later than that, it takes effect immediately after the payment.", "两项都留空时，付款后立即生效。可自定义生效时间；如果付款晚于指定的生效时间，则付款后立即生效。";
    BY: "By", "操作者";
    BY_THE_CLOCK: "by the clock", "由时钟发起";
    CALENDAR: "Calendar", "日历";
    CALENDAR_LEAD: "How many resources expire on each day (UTC). The darker a day, the more; a day leads to its list.", "每一天（UTC）到期的资源数量。颜色越深数量越多；点击日期查看列表。";
    CANCEL_JOB: "Cancel the job", "取消任务";
    CARRY_OUT: "Carry out exactly this plan", "严格按此计划执行";
    CARRY_OUT_LEAD: "The dry run made {} plan{s}. Each is carried out if it is still the same.", "试运行产生了 {} 个计划。每个计划只有保持不变才会被执行。";
    CARRY_OUT_PLANS: "Carry out {} plan{s}", "执行这 {} 个计划";
    CHANNEL: "Channel", "渠道";
    CHANNELS: "Channels", "通知渠道";
    CHANNELS_LEAD: "Channels tell people of events: by e-mail, or through the robot of a group, in their language and at their hours.", "渠道用读者的语言、在合适的时间，通过电子邮件或群机器人通知事件。";
    CHECK: "Check", "检查";
    CHECKED: "It can be installed. This would change:", "可以安装。将会改变：";
    CHOICE: "Choice", "选择";
    CHOOSE: "Choose {}", "选择 {}";
    CHOSEN_ONES: "those that are chosen", "已选择的";
    CLOCK: "Clock", "时钟";
    COMMAND: "Command", "命令";
    COMMANDS: "Commands", "命令";
    COMMAND_ON: "{}: {}", "{}：{}";
    COST: "Cost", "费用";
    CREATE: "Create", "创建";
    CURVE_OF: "The balance of {} over time, from {} to {} {}", "{} 的余额变化，从 {} 到 {} {}";
    DAY: "Day", "日期";
    DAYS: "{} d", "{} 天";
    DAY_LOAD: "{} resource{s}, {}", "{} 个资源，{}";
    DECIDED: "Decided", "决定于";
    DECIDED_SOME: "Decided on: {} of {} plan{s}. The others were not:", "{}/{} 个计划已决定。其余未成功：";
    DECISIONS: "Decisions", "决策";
    DEFAULT: "Default", "默认值";
    DELETE: "Delete", "删除";
    DELIVERIES: "Deliveries", "投递";
    DELIVERY: "Delivery", "投递";
    DESCRIPTION: "Description", "说明";
    DETAILS: "Details", "详情";
    DIFFERENCE: "Difference", "差异";
    DIFFERENCES: "What it would have done otherwise", "若生效会有何不同";
    DIFFERENCES_IN_MONEY: "What it would have done otherwise, in money", "若生效在金额上会有何不同";
    DIFFERENCE_TOTALS: "Differences in money", "金额差异";
    DIGEST_AT: "Digest at, such as 08:00; empty sends at once", "每日摘要时间，如 08:00；留空为即时发送";
    DIGEST_DAILY: "digest at {}", "每日 {} 摘要";
    DISABLE: "Disable", "停用";
    DUE_CAPTION: "{} resource{s}, {}", "{} 个资源，{}";
    DUE_THIS_WEEK: "Due this week", "本周到期";
    EDIT: "Edit", "编辑";
    EFFECTIVE_AT: "Takes effect at", "生效时间";
    ENABLE: "Enable", "启用";
    EVENTS: "Events", "事件";
    EVENTS_CAPTION: "{} event{s}, newest first", "{} 个事件，最新的在前";
    EVENT_TYPES: "Types of event", "事件类型";
    EXAMPLES: "Examples", "示例";
    EXPIRES: "Expires", "到期时间";
    EXPIRES_BEFORE: "Expires before", "到期早于";
    EXPIRES_FROM: "Expires from", "到期不早于";
    EXPIRES_NOW: "Expires now", "目前到期";
    EXPIRES_THEN: "Expires then", "之后到期";
    FAILING_SINCE: "failing since", "失败始于";
    FILTER: "Filter", "筛选";
    FOLLOWED: "What was followed", "实际执行";
    FORECAST: "Forecast", "预测";
    FORECAST_LEAD: "The forecast plays the coming months with the same rules as the clock, and lets balances become negative to say how much is missing. With very many resources this page takes a while.", "预测使用与时钟相同的规则推演未来几个月，余额可以为负，以说明缺多少钱。资源很多时，此页需要一些时间。";
    FOREIGN_FORM: "This form came from another site; nothing was done.", "此表单来自其他网站；未执行任何操作。";
    FROM: "From", "开始";
    FROM_DRY_RUN: "It carries out the plans of", "执行的是此次试运行的计划：";
    GIVEN_BY: "given by", "批准者";
    HEAVIEST_DAYS: "The most expensive days", "费用最高的日期";
    HELD: "On hold", "冻结";
    HISTORY: "History", "历史";
    HOST_FAILED: "The host could not do this", "主机无法完成此操作";
    INSTALL: "Install", "安装";
    INSTALLED: "Installed", "安装于";
    ITEMS: "Items", "项目";
    IT_LASTS: "it lasts", "够用";
    JOB: "Job", "任务";
    JOBS: "Jobs", "任务";
    JOBS_LEAD: "One command over many resources; each job begins with a dry run. Choose resources in", "对多个资源执行同一命令；每个任务先试运行。请在此选择资源：";
    JOB_HAS_MORE: "More resources pass the filter than one job takes; create another for the rest.", "符合条件的资源超过一个任务的上限；其余请另建任务。";
    KEEPS_UP: "It keeps up", "运行正常";
    KEYS: "Keys of the providers' own APIs", "云厂商 API 的密钥";
    KIND: "Kind", "类型";
    KINDS: "Kinds of resource", "资源类型";
    KIND_OF_TIME: "Kind of time", "时间类型";
    LANE: "Past and future", "过去与未来";
    LANE_NOW: "now", "现在";
    LANE_OF: "The stages of {} over time; it is {} now", "{} 各阶段的时间线；目前为{}";
    LANGUAGE: "Language", "语言";
    LAST_NIGHT: "The last 24 hours", "过去 24 小时";
    LAST_USED: "Last used", "最近使用";
    LEAST_SEVERITY: "Least severity", "最低严重程度";
    LEAVE_IT: "Leave it", "放弃";
    LEDGER: "Ledger", "账目";
    LEFT: "Left", "剩余";
    LEFT_OUT: "Left out:", "未包含：";
    LIMIT_RAISE_WAITS: "A higher limit waits for a second person:", "更高的审批限额等待第二人确认：";
    LIVE: "New events appear by themselves.", "新事件会自动出现。";
    LOOK_FIRST: "Dry run first", "先试运行";
    MANY_CURRENCIES: "Amounts of several currencies are added up as they are; choose an account for exact sums.", "不同币种的金额直接相加；如需准确总额，请选择一个账户。";
    MARK_AHEAD: "renewal will be tried", "将尝试续费";
    MARK_BAD: "trouble", "异常";
    MARK_GOOD: "paid", "已付款";
    MEANING: "Meaning", "含义";
    MODE: "Mode", "模式";
    MONTH: "Month", "月份";
    MONTHS: "{} mo", "{} 个月";
    MONTHS_AHEAD: "Months ahead", "未来月数";
    MORE: "More", "更多";
    NAME: "Name", "名称";
    NEEDS_APPROVAL: "Needs an approval: {}", "需要审批：{}";
    NEW_CHANNEL: "New channel", "新渠道";
    NEW_KEY: "New key", "新建密钥";
    NEW_POLICY: "New policy", "新建策略";
    NEW_TOKEN: "New token", "新建令牌";
    NEW_WEBHOOK: "New webhook", "新建 Webhook";
    NEXT_WAKE: "Next look", "下次处理";
    NO: "no", "否";
    NOTHING: "nothing", "无";
    NOTHING_AWAITS: "No plan waits for a decision.", "没有等待决定的计划。";
    NOTHING_CHOSEN: "Nothing was chosen; go back and tick what it is about.", "未选择任何项；请返回并勾选。";
    NOTHING_HAPPENED: "Nothing happened.", "没有事件。";
    NOT_ALLOWED: "Not allowed", "没有权限";
    NOT_CONFIRMED: "not confirmed by another person", "未经他人确认";
    NOT_DONE: "Not done", "未执行";
    NOT_FOUND: "There is no such page", "没有此页面";
    NOT_READY: "It needs attention", "需要处理";
    NOW: "Now", "现在";
    NOW_CHOSEN: "Now chosen:", "当前选择：";
    NOW_VIRTUAL: "Virtual time:", "虚拟时间：";
    NO_ANSWER: "The answer was too long to show.", "内容过长，无法显示。";
    NO_SUCH_COMMAND: "There is no such command.", "没有此命令。";
    NO_SUCH_ZONE: "There is no time zone `{}`; write one such as Asia/Shanghai or +08:00.", "没有时区“{}”；请写 Asia/Shanghai 或 +08:00 这样的名称。";
    NUMBER: "Number", "编号";
    OLD_FORM: "This form is of another session; load the page again and send it once more. Nothing was done.", "此表单属于另一个会话；请重新加载页面后再提交。未执行任何操作。";
    ONLY_THE_FIRST: "There are more than fit here; narrow the list to see the rest.", "结果太多，无法全部显示；请缩小范围。";
    ON_EXPIRY: "On expiry", "到期后";
    ON_FAILURE: "On failure", "失败时";
    OPERATION: "Operation", "操作";
    ORDER: "Order", "订单";
    ORDERS: "Orders", "订单";
    ORDER_OF_POLICIES: "Order", "顺序";
    OUTCOME: "Outcome", "结果";
    OVERDUE: "Work is overdue by {} s", "工作已逾期 {} 秒";
    OWN_TERM: "its own", "各自的周期";
    PACKAGES: "Resource packages", "资源包";
    PAGES: "Pages", "页面";
    PAYMENTS: "Payments", "付款数";
    PAY_AT: "Pay at", "付款时间";
    PERIOD: "Period", "周期";
    PLAN: "Plan", "计划";
    PLANS: "Plans", "计划";
    PLANS_WAIT: "{} plan{s}, {}", "{} 个计划，{}";
    PLAN_ANEW: "Plan anew", "重新计划";
    PLUGINS: "Plugins", "插件";
    PLUGIN_FAILURES: "Failures of the last week", "最近一周的失败";
    PLUGIN_MISSING: "An account has no plugin of its provider.", "有账户缺少其云厂商的插件。";
    POLICIES: "Policies", "策略";
    POLICY: "Policy", "策略";
    POLICY_CALENDARS: "Calendars of policies", "策略日历";
    PRICE: "Price", "价格";
    PROGRESS: "Progress", "进度";
    PROVIDER: "Provider", "云厂商";
    PROVIDER_REFUSES: "This would be refused:", "此操作会被拒绝：";
    QUESTION: "Request", "问题";
    QUESTIONS: "Questions", "问题数";
    QUIET_BETWEEN: "quiet from {} until {}", "{} 至 {} 免打扰";
    QUIET_FROM: "Quiet from, such as 22:00", "免打扰开始，如 22:00";
    QUIET_UNTIL: "Quiet until, such as 07:00", "免打扰结束，如 07:00";
    READERS: "Readers of e-mail", "邮件收件人";
    READERS_ZONE: "Zone of the readers", "读者时区";
    REAL_TIME: "real", "真实";
    REASON: "Reason, for the audit log", "原因（记入审计日志）";
    RECALL: "Show again", "重新显示";
    REFUND: "Refund", "退款";
    REFUSED: "Refused", "被拒绝";
    REGION: "Region", "区域";
    REJECT: "Reject", "拒绝";
    REMOVED: "removed", "已移除";
    REMOVE_POLICY: "Remove this policy", "移除此策略";
    RENEWALS: "Renewals", "续费";
    RENEWALS_LEAD: "What expires within a month, the soonest first. Renew or set auto-renew one by one, or tick several and command them together.", "一个月内到期的资源，最早到期的在前。可逐个续费或设置自动续费，也可勾选多个批量操作。";
    RENEWALS_MOST: "The most renewals; empty is no limit", "最多续费次数；留空为不限";
    REQUESTED: "Requested", "提交于";
    RESOURCE: "Resource", "资源";
    RESOURCES: "Resources", "资源";
    RESOURCES_CAPTION: "{} resource{s} on this page", "本页 {} 个资源";
    RESOURCE_ID: "ID of a resource", "资源编号";
    REVISION: "Revision", "版本";
    REVOKE: "Revoke", "吊销";
    REVOKED: "revoked", "已吊销";
    RISK_GRACE: "expired, and is stopped next", "已过期，接下来将停止服务";
    RISK_IN_DOUBT: "nobody knows whether its renewal was applied", "续费是否成功未知";
    RISK_PROBLEM: "its renewal does not succeed", "续费未成功";
    RISK_RETENTION: "stopped, and is released next", "已停止，接下来将被释放";
    RISK_SHORT_OF_MONEY: "there is not enough money for its renewal", "余额不足以续费";
    RISK_UNPROTECTED: "expires soon, and nothing renews it", "即将到期，且不会自动续费";
    ROBOT_SECRET: "Secret of the robot (DingTalk, Feishu)", "机器人密钥（钉钉、飞书）";
    ROBOT_URL: "URL of the robot", "机器人地址";
    ROLE: "Role", "角色";
    ROTATE_SECRET: "New secret", "更换密钥";
    RULING: "Ruling", "裁决";
    RUNS_SHORT: "Runs short", "不足于";
    RUNWAY: "Runway of each balance", "余额可支撑时间";
    SAVE: "Save", "保存";
    SCOPE: "Scope", "范围";
    SCRIPT: "Script", "脚本";
    SCRIPT_NAME: "Name of the script", "脚本名称";
    SECRET: "Secret", "密钥";
    SECRET_ONCE: "This secret is shown once; keep it now.", "此密钥只显示一次；请立即保存。";
    SECRET_WAS_SHOWN: "It was shown already, and is shown once.", "它已经显示过，且只显示一次。";
    SEND_AGAIN: "Send again", "重新发送";
    SEND_TEST: "Send a test", "发送测试";
    SETTINGS: "Settings", "设置";
    SET_TAGS: "Set tags", "设置标签";
    SHADOW: "The shadow", "影子版本";
    SHADOW_REVISION: "Asked in shadow: revision", "影子运行的版本";
    SHOWN_LAST: "Only the newest {} are shown.", "仅显示最新的 {} 条。";
    SIGN_IN: "Sign in", "登录";
    SIGN_IN_LEAD: "Sign in with a token of this host.", "使用此主机的令牌登录。";
    SIGN_OUT: "Sign out", "退出";
    SINCE: "Since", "起始时间";
    SKIP: "Skip to the content", "跳到内容";
    SNOOZE_UNTIL: "Acknowledge until; empty is for good", "确认至；留空为一直有效";
    SORT: "Sort this page by", "本页排序";
    STAGE: "Stage", "阶段";
    STATE: "State", "状态";
    STATUS: "Status", "状态码";
    STEPS: "Steps", "步骤";
    TAG: "Tag (name or name=value)", "标签（名称或名称=值）";
    TAGS: "Tags", "标签";
    TAGS_LINES: "Tags, one a line: name=value", "标签，每行一个：名称=值";
    THIS_SESSION: "this session", "当前会话";
    TICKED_AT: "Everything is done until", "已处理至";
    TIMES: "Times", "次数";
    TIMES_IN: "Times in", "时间显示为";
    TODAY: "Today", "今日";
    TOKEN: "Token", "令牌";
    TOKENS: "Tokens", "令牌";
    TOKENS_AND_KEYS: "Tokens and keys", "令牌与密钥";
    TOKEN_HINT: "There is no token yet? On the host:", "还没有令牌？在主机上运行：";
    TOO_LITTLE_MONEY: "The balance does not cover it; top the account up first.", "余额不足；请先充值。";
    TOP_UP: "Top up", "充值";
    TOP_UP_BY: "Top up by", "充值金额";
    TOP_UP_FOR_ALL: "Top-up for the whole time", "全程所需充值";
    TOP_UP_THEN: "Top-up by then", "届时所需充值";
    TO_RENEWALS: "All renewals", "全部续费";
    TO_TODAY: "To today", "回到今日";
    TRIAL: "Asked {} questions: {} answered otherwise, {} failed.", "共询问 {} 个问题：{} 个回答不同，{} 个失败。";
    TROUBLE: "Trouble", "异常";
    UNKNOWN_TOKEN: "The token is not known, expired or revoked.", "令牌未知、已过期或已吊销。";
    UNREADABLE_FORM: "The form could not be read; load the page again. Nothing was done.", "无法读取表单；请重新加载页面。未执行任何操作。";
    UNTIL: "until", "截止";
    VALUE: "Value", "值";
    VIRTUAL_TIME: "virtual", "虚拟";
    WAITS_FOR: "It waits for an approval:", "等待审批：";
    WEBHOOK: "Webhook", "Webhook";
    WEBHOOKS: "Webhooks", "Webhook";
    WHAT: "What", "事项";
    WHAT_COMES_NEXT: "What comes next", "接下来";
    WHEN: "When", "时间";
    WHEN_IT_RUNS_SHORT: "When each runs short", "各账户何时不足";
    WHY: "Why", "原因";
    WITH_MANY: "Command many at once", "批量操作";
    YEARS: "{} y", "{} 年";
    YES: "yes", "是";
    ZONE_NAME: "My zone", "我的时区";
    ZONE_OWN: "my zone", "我的时区";
    ZONE_PROVIDER: "the provider's zone", "云厂商时区";
    ZONE_UTC: "UTC", "UTC";
}

/// What a page says after something was done, by the name in its address.
const DONE: [(&str, Text); 18] = [
    ("carried-out", Text { english: "The plan was carried out.", chinese: "计划已执行。" }),
    ("waits", Text { english: "It waits for an approval now.", chinese: "现在等待审批。" }),
    (
        "to-be-sent",
        Text {
            english: "The renewal is written down, and will be sent to the provider.",
            chinese: "续费已记录，将发送给云服务商。",
        },
    ),
    ("topped-up", Text { english: "The account was topped up.", chinese: "账户已充值。" }),
    ("saved", Text { english: "Saved.", chinese: "已保存。" }),
    (
        "limit-waits",
        Text {
            english: "Saved, but the higher limit waits for a second person.",
            chinese: "已保存，但更高的限额等待第二人确认。",
        },
    ),
    ("approved", Text { english: "Approved and carried out.", chinese: "已批准并执行。" }),
    ("rejected", Text { english: "Rejected.", chinese: "已拒绝。" }),
    ("advanced", Text { english: "The clock was moved.", chinese: "时钟已推进。" }),
    (
        "dry-run",
        Text {
            english: "The dry run has begun; nothing is changed by it.",
            chinese: "试运行已开始；不会改变任何内容。",
        },
    ),
    ("job-begun", Text { english: "The job has begun.", chinese: "任务已开始。" }),
    ("job-cancelled", Text { english: "The job was cancelled.", chinese: "任务已取消。" }),
    (
        "installed",
        Text {
            english: "The policies hold from the next plan on.", chinese: "策略从下一个计划起生效。"
        },
    ),
    ("policy-removed", Text { english: "The policy was removed.", chinese: "策略已移除。" }),
    ("tags-set", Text { english: "The tags were set.", chinese: "标签已设置。" }),
    ("revoked", Text { english: "Revoked.", chinese: "已吊销。" }),
    ("sent-again", Text { english: "It is sent again.", chinese: "正在重新发送。" }),
    ("deleted", Text { english: "Deleted.", chinese: "已删除。" }),
];

/// What was done, by its name; an address cannot have a page say anything else.
pub(super) fn done(name: &str) -> Option<Text> {
    DONE.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
