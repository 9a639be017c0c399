//! Texts of forms that were not carried out. Knows no page.

use perennial_formats::language::Text;

texts! {
    ENTERED: "What was entered", "已填写的内容";
    TO: "To", "至";
    UNTIL: "Until", "截止时间";
    URL: "URL", "网址（URL）";
}
