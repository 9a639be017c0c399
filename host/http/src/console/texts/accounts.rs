//! Texts of the page of an account. Knows no page.

use perennial_formats::language::Text;

texts! {
    BUDGET_LEFT: "Left of the month's budget", "本月预算剩余";
    BUDGET_SPENT: "Spent of the month's budget", "本月预算已用";
    DECIDED_BY: "Decided by", "决定所依据的版本";
    BESIDE_IN_SHADOW: "Asked beside it in shadow", "影子对照版本";
    CANNOT_BE_LOADED: "It cannot be loaded, so nothing is decided for this account: bind another one.", "该版本无法加载，因此不会为此账户做任何决定：请绑定其他版本。";
    NO_PLUGIN: "no plugin is loaded", "未加载插件";
    WHY_ACCOUNT: "bound to this account", "绑定到此账户";
    WHY_ALL_ACCOUNTS: "bound to all accounts", "绑定到全部账户";
    WHY_BUNDLED: "part of the program", "随程序提供";
    WHY_LOADED: "loaded from a file", "从文件加载";
    WHY_PATTERN: "bound to a pattern of accounts", "按账户通配绑定";
    MEANS_ON_POLICY_FAILURE: "What it comes to when a policy fails. By default renewals, auto-renew, the end of a conversion and buying again are approved, and everything else requires an approval.", "策略出错时如何处理。默认：续费、设置自动续费、取消转按需和再次购买视为批准，其他操作需要审批。";
    MEANS_ON_UNDECIDED: "What becomes of an automatic renewal whose approval nobody decides on in time.", "自动续费的审批无人及时决定时如何处理。";
    SETTINGS_OF_HOST: "Settings of this host", "本机的设置";
    SETTINGS_OF_RULES: "Settings of the provider's rules", "云厂商规则的设置";
}
