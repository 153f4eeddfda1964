//! Wrong templates: sections, roles and columns that nobody knows.

use super::super::templates::{roles, template};
use super::super::{ConfigErrors, Source};
use super::{Folder, check, smallest_and};

/// A template's text ends in this error.
fn refuses<T>(
    read: impl Fn(&str, &std::sync::Arc<Source>, &mut ConfigErrors) -> Option<T>,
    text: &str,
    first_line: &str,
    hint: &str,
) {
    let mut errors = ConfigErrors::default();
    read(text, &Source::new("t.toml", text), &mut errors);
    let found: Vec<_> = errors.iter().map(|error| (error.first_line(), error.hint())).collect();
    assert_eq!(found, [(first_line.to_owned(), hint)], "\nin {text}");
}

const HEAD: &str = "title = \"T\"\nraw_columns = [\"month\"]\n";

#[test]
fn a_template_names_known_sections_and_columns_once() {
    for (text, first_line, hint) in [
        (
            format!("{HEAD}[[sections]]\nkind = \"geografy\"\n"),
            "unknown section `geografy` at t.toml:4:8",
            "did you mean `geography`?",
        ),
        (
            format!("{HEAD}[[sections]]\nkind = \"about\"\n[[sections]]\nkind = \"about\"\n"),
            "section `about` stands twice at t.toml:6:8",
            "take one out",
        ),
        (
            format!("{HEAD}[[sections]]\nkind = \"about\"\nmap = true\n"),
            "section `about` has no map at t.toml:5:7",
            "take `map` out, or put it below `kind = \"geography\"`",
        ),
        (
            format!("{HEAD}[[sections]]\nkind = \"geography\"\nmap = \"no\"\n"),
            "`map` must be `true` or `false`, not a text in quotes at t.toml:5:7",
            "whether `geography` has its world map; `true` if left out",
        ),
        (
            format!("{HEAD}[[sections]]\nkind = \"geography\"\nmaps = true\n"),
            "unknown key `maps` in `[[sections]]` at t.toml:5:1",
            "did you mean `map`?",
        ),
        (
            format!("{HEAD}[[sections]]\nkind = \"geography\"\nchart = true\n"),
            "unknown key `chart` in `[[sections]]` at t.toml:5:1",
            "known keys in `[[sections]]`: `kind`, `map`",
        ),
        (
            "title = \"T\"\nraw_columns = [\"month\", \"customer\"]\n[[sections]]\nkind = \"about\"\n".to_owned(),
            "unknown column `customer` at t.toml:2:25",
            "known columns: `month`, `location_id`, `location_name`, `customer_id`, `customer_name`, \
             `customer_market`, `product`, `sku_id`, `sku`, `sales_channel`, `attach_type`, `segment`, `licenses`, \
             `deployed`, `active`, `added`, `removed`, `billed_revenue_usd`",
        ),
        (HEAD.to_owned(), "missing key `sections` at t.toml:1:1", "add `sections = …`: the sections, in order"),
    ] {
        refuses(template, &text, first_line, hint);
    }
}

#[test]
fn the_map_is_there_unless_it_is_turned_off() {
    for (key, expected) in [("", true), ("map = true\n", true), ("map = false\n", false)] {
        let text = format!("{HEAD}[[sections]]\nkind = \"geography\"\n{key}");
        let read = template(&text, &Source::new("t.toml", &text), &mut ConfigErrors::default());
        assert_eq!(read.unwrap().map, expected, "{key}");
    }
}

#[test]
fn roles_withhold_known_things_and_have_a_rank_each() {
    let role = |key: &str, withhold: &str, rank: u32| {
        format!("[roles.{key}]\nlabel = \"R\"\nwithhold = [{withhold}]\nrank = {rank}\n")
    };
    const RANK: &str =
        "of two roles of one person at the same scope the one with the higher rank counts; each rank once";
    for (text, first_line, hint) in [
        (
            role("a", "\"revenue\", \"customer-name\"", 1),
            "unknown thing to withhold `customer-name` at t.toml:3:24",
            "did you mean `customer-names`?",
        ),
        (
            role("a", "", 1) + &role("b", "", 1),
            "`b` and `a` have the same rank `1` at t.toml:8:8",
            "of two roles of one person the higher rank counts: give each its own",
        ),
        (role("a", "", 1001), "`rank` must be from 0 to 1000, not `1001` at t.toml:4:8", RANK),
        (
            role("\"../a\"", "", 1),
            "`../a` is not a role's key at t.toml:1:8",
            "at most 40 lower-case letters, digits and `-`, as in `report-viewer`",
        ),
        (
            "[roles.a]\nlabel = \"R\"\nrank = 1\n".to_owned(),
            "missing key `withhold` in `[roles.a]` at t.toml:1:1",
            "add `withhold = …`: what it may not see; an empty list for a role that sees everything",
        ),
        ("[roles]\n".to_owned(), "there is no role at t.toml:1:1", "add one, as in `[roles.report-viewer]`"),
    ] {
        refuses(roles, &text, first_line, hint);
    }
}

const OWN_ROLES: &str = "[roles.boss]\nlabel = \"Boss\"\nwithhold = []\nrank = 1\n";

#[test]
fn templates_of_ones_own_stand_in_place_of_the_shipped_file_by_file() {
    let toml = smallest_and("[templates]\nfolder = \"own\"\n");
    let files = [
        ("pressrun.toml", toml.as_str()),
        ("own/product-licenses/roles.toml", OWN_ROLES),
        ("own/product-licenses/email/body.txt", "x"),
    ];
    let config = Folder::with(&files).load().unwrap();
    assert_eq!(config.roles.iter().map(|role| role.key.as_str()).collect::<Vec<_>>(), ["boss"]);
    assert_eq!(config.template.sections.len(), 6);
    let shipped = crate::render::email::MailTemplates::shipped();
    assert_eq!((config.mail_templates.text.as_str(), &config.mail_templates.html), ("x", &shipped.html));
}

#[test]
fn a_mail_template_with_an_unknown_name_is_refused_with_file_and_line() {
    let toml = smallest_and("[templates]\nfolder = \"own\"\n");
    let files = [("pressrun.toml", toml.as_str()), ("own/product-licenses/email/body.txt", "Hello\n{{ nobody }}")];
    let errors = Folder::with(&files).load().unwrap_err().to_string();
    assert!(errors.contains("email/body.txt:2: undefined value: `nobody`"), "{errors}");
}

#[test]
fn a_folder_without_templates_and_misspelt_templates_are_refused() {
    let toml = smallest_and("[templates]\nfolder = \"own\"\n");
    check(
        &[("pressrun.toml", &toml)],
        &[("there is no folder `own` at pressrun.toml:12:10", "`pressrun init` writes one with the shipped templates")],
    );
    check(
        &[("pressrun.toml", &toml), ("own/roles.toml", OWN_ROLES)],
        &[(
            "there is no template in `own` at pressrun.toml:12:10",
            "they are `product-licenses/report.toml`, `product-licenses/roles.toml` and `product-licenses/email/…`, as `pressrun init` \
             writes them",
        )],
    );
    check(
        &[("pressrun.toml", &toml), ("own/product-licenses/role.toml", OWN_ROLES)],
        &[(
            "unknown template `own/product-licenses/role.toml`, named by `[templates]` at pressrun.toml:12:10",
            "did you mean `roles.toml`?",
        )],
    );
    check(
        &[("pressrun.toml", &toml), ("own/product-licenses/roles.toml", "[roles.a]\nlabel = \n")],
        &[("string values must be quoted at own/product-licenses/roles.toml:2:9", "expected literal string")],
    );
}
