//! A recovery code, created in the window as a user does.

use crate::screen::Screen;

/// Reads a new code off the real window, confirms it there, and gives it.
pub async fn new_code(screen: &Screen) -> String {
    screen.see("recovery-dialog").await;
    screen.click("recovery-next").await;
    let shown = screen.text("recovery-code").await;
    let code: Vec<char> = shown.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    // Each group stands behind its number.
    let groups: Vec<String> = code.chunks(6).map(|group| group[1..].iter().collect()).collect();
    assert_eq!(groups.len(), 7, "{shown:?}");
    screen.click("recovery-next").await;
    screen.see("recovery-back").await;
    for (number, group) in groups.iter().enumerate() {
        let field = format!("field-group-{}", number + 1);
        if screen.has(&field).await {
            screen.fill(&field, group).await;
        }
    }
    screen.click("recovery-next").await;
    screen.hears("The recovery code is set").await;
    groups.join("-")
}
