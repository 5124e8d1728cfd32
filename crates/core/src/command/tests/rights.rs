//! Who may give which command.

use super::*;

#[test]
fn each_command_asks_for_its_right() {
    let comment = "@bot ping r- r+ delegate=a delegate+ treeclosed=1 treeclosed- p=1 delegate- try try- rollup \
                   squash squash- force clean deploy retry";
    let rights: Vec<Right> = read(comment).commands.iter().map(Command::right).collect();
    let expected = [
        vec![Right::Anyone, Right::ReviewerOrAuthor],
        vec![Right::Reviewer; 5],
        vec![Right::Try; 11],
    ];
    assert_eq!(rights, expected.concat());
    assert_eq!(Command::Portal.right(), Right::Anyone);
}

#[test]
fn rights_are_held_by_permission_or_authorship() {
    use Permission::{Outsider, Reviewer, Trier};
    let holders = |right: Right, authorship| {
        let mut permissions = vec![Outsider, Trier, Reviewer];
        permissions.retain(|permission| {
            right.is_held_by(Speaker {
                permission: *permission,
                authorship,
            })
        });
        permissions
    };
    for authorship in [Authorship::Author, Authorship::Other] {
        assert_eq!(
            holders(Right::Anyone, authorship),
            [Outsider, Trier, Reviewer]
        );
        assert_eq!(holders(Right::Try, authorship), [Trier, Reviewer]);
        assert_eq!(holders(Right::Reviewer, authorship), [Reviewer]);
    }
    assert_eq!(
        holders(Right::ReviewerOrAuthor, Authorship::Other),
        [Reviewer]
    );
    assert_eq!(
        holders(Right::ReviewerOrAuthor, Authorship::Author),
        [Outsider, Trier, Reviewer]
    );
}
