//! Tables of words: no lines, and nothing behind the last word of a row.

use comfy_table::{Table, presets};

/// One without rows.
pub(super) fn bare() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

pub(super) fn text(table: &Table) -> String {
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
