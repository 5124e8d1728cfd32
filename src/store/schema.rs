//! The tables, as diesel knows them; `migrations/` makes them.

diesel::table! {
    instance (id) {
        id -> Integer,
        key -> Text,
        bot -> Nullable<Text>,
        document_version -> BigInt,
    }
}

diesel::table! {
    repos (label) {
        label -> Text,
        ordinal -> BigInt,
        desk -> Text,
        known_since -> BigInt,
        synced_at -> Nullable<BigInt>,
        github_id -> Nullable<BigInt>,
        github_name -> Nullable<Text>,
        asked_as -> Nullable<Text>,
    }
}

diesel::table! {
    pulls (repo, number) {
        repo -> Text,
        number -> BigInt,
        is_open -> Bool,
        updated_at -> BigInt,
        doc -> Text,
    }
}

diesel::table! {
    runs (id) {
        id -> BigInt,
        repo -> Text,
        is_over -> Bool,
        doc -> Text,
    }
}

diesel::table! {
    run_members (run, pull) {
        run -> BigInt,
        repo -> Text,
        pull -> BigInt,
    }
}

diesel::table! {
    jobs (id) {
        id -> BigInt,
        repo -> Text,
        run -> BigInt,
        context -> Text,
        is_over -> Bool,
        doc -> Text,
        tree -> Nullable<Text>,
        definition -> Nullable<Text>,
        passed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    inbox (id) {
        id -> BigInt,
        repo -> Text,
        delivery -> Nullable<Text>,
        events -> Text,
        received_at -> BigInt,
        done_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    outbox (id) {
        id -> BigInt,
        repo -> Text,
        effect -> Text,
        ordered_at -> BigInt,
        tries -> Integer,
        under_way -> Bool,
        deaths -> Integer,
    }
}

diesel::table! {
    events (id) {
        id -> BigInt,
        repo -> Text,
        at -> BigInt,
        event -> Text,
        effects -> Text,
    }
}

diesel::table! {
    retry_log (id) {
        id -> BigInt,
        repo -> Text,
        number -> BigInt,
        at -> BigInt,
        who -> Text,
        message -> Text,
        source -> Text,
    }
}

diesel::table! {
    forwards (id) {
        id -> BigInt,
        repo -> Text,
        headers -> Text,
        body -> Binary,
        bytes -> BigInt,
        received_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(runs, run_members);
