//! Texts of the pages of policies. Knows no page.

use perennial_formats::language::Text;

texts! {
    COMPARED_SHADOW: "A shadow changes nothing: it is compared as if it were active.", "影子策略不会改变任何内容：此处按其生效（active）来比较。";
    SHADOW_LEAD: "With mode = \"shadow\" a policy is asked and not followed: it changes nothing, and its page says what it would have done. With mode = \"active\" it is followed.", "mode = \"shadow\" 时，策略只被询问而不生效：不会改变任何内容，其页面会显示若生效会有何不同。mode = \"active\" 时策略生效。";
}
