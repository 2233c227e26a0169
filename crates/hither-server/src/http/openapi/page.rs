//! The document for people: one page without a script.

use std::fmt::Write as _;

use serde_json::Value;

/// The page.
pub(super) fn html(document: &Value) -> String {
    let mut out = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Hither API</title>\n\
         <link rel=\"stylesheet\" href=\"docs.css\">\n<main>\n",
    );
    let version = escaped(text(&document["info"]["version"]));
    line(&mut out, &format!("<h1>Hither API <small>{version}</small></h1>"));
    line(
        &mut out,
        "<p>Made from the server's own types; the same for programs: \
         <a href=\"openapi.json\">openapi.json</a>.</p>",
    );
    write_contents(&mut out, document);
    for tag in tags(document) {
        line(&mut out, &format!("<h2 id=\"{0}\">{0}</h2>", escaped(tag)));
        for (path, method, operation) in operations(document) {
            if operation["tags"][0] == tag {
                write_operation(&mut out, path, method, operation);
            }
        }
    }
    line(&mut out, "<h2 id=\"types\">types</h2>");
    for (name, schema) in members(&document["components"]["schemas"]) {
        let name = escaped(name);
        line(&mut out, &format!("<section id=\"type-{name}\"><h3>{name}</h3>"));
        write_meaning(&mut out, schema);
        write_members(&mut out, schema);
        line(&mut out, "</section>");
    }
    out.push_str("</main>\n</html>\n");
    out
}

fn tags(document: &Value) -> impl Iterator<Item = &str> {
    document["tags"].as_array().into_iter().flatten().map(|tag| text(&tag["name"]))
}

/// All operations in a few words, each leading to its section.
fn write_contents(out: &mut String, document: &Value) {
    line(out, "<nav><table>");
    for tag in tags(document) {
        line(out, &format!("<tr><th colspan=\"2\"><a href=\"#{0}\">{0}</a>", escaped(tag)));
        for (path, method, operation) in operations(document) {
            if operation["tags"][0] == tag {
                let (method, path) = (method.to_ascii_uppercase(), escaped(path));
                let id = escaped(text(&operation["operationId"]));
                let summary = marked(text(&operation["summary"]));
                let what = format!("<a href=\"#{id}\"><b>{method}</b> <code>{path}</code></a>");
                line(out, &format!("<tr><td>{what}<td>{summary}"));
            }
        }
    }
    line(out, "<tr><th colspan=\"2\"><a href=\"#types\">types</a>");
    line(out, "</table></nav>");
}

fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    members(&document["paths"]).flat_map(|(path, methods)| {
        members(methods).map(move |(method, operation)| (path, method, operation))
    })
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn write_operation(out: &mut String, path: &str, method: &str, operation: &Value) {
    let (method, path) = (method.to_ascii_uppercase(), escaped(path));
    let id = escaped(text(&operation["operationId"]));
    line(out, &format!("<section id=\"{id}\"><h3><b>{method}</b> <code>{path}</code></h3>"));
    line(out, &format!("<p class=\"lead\">{}.</p>", marked(text(&operation["summary"]))));
    write_meaning(out, operation);
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let rows: Vec<(String, String, String)> = parameters
        .map(|parameter| {
            let place = text(&parameter["in"]);
            let name = format!("{} <small>{place}</small>", code(text(&parameter["name"])));
            let meaning = marked(text(&parameter["description"]));
            (name, type_of(&parameter["schema"]), meaning)
        })
        .collect();
    write_table(out, &rows);
    for (_, content) in members(&operation["requestBody"]["content"]) {
        line(out, &format!("<p>Body: {}</p>", type_of(&content["schema"])));
        for (_, example) in members(&content["examples"]) {
            let json = serde_json::to_string(&example["value"]).unwrap_or_default();
            line(out, &format!("<pre>{}</pre>", escaped(&json)));
        }
    }
    line(out, "<ul>");
    for (status, response) in members(&operation["responses"]) {
        let types: Vec<String> = members(&response["content"])
            .map(|(name, content)| match content.get("schema") {
                Some(schema) => type_of(schema),
                None => code(name),
            })
            .collect();
        let meaning = marked(text(&response["description"]));
        line(out, &format!("<li><b>{status}</b> {meaning} {}</li>", types.join(", ")));
    }
    line(out, "</ul></section>");
}

fn write_meaning(out: &mut String, described: &Value) {
    let meaning = text(&described["description"]);
    if !meaning.is_empty() {
        line(out, &format!("<p>{}</p>", marked(meaning)));
    }
}

fn write_members(out: &mut String, schema: &Value) {
    let rows: Vec<(String, String, String)> = members(&schema["properties"])
        .map(|(name, member)| (code(name), type_of(member), marked(text(&member["description"]))))
        .collect();
    write_table(out, &rows);
    for choice in schema["oneOf"].as_array().into_iter().flatten() {
        let meaning = marked(text(&choice["description"]));
        line(out, &format!("<p>{} {meaning}</p>", type_of(choice)));
    }
}

fn write_table(out: &mut String, rows: &[(String, String, String)]) {
    if rows.is_empty() {
        return;
    }
    line(out, "<table>");
    for (name, kind, meaning) in rows {
        line(out, &format!("<tr><td>{name}<td>{kind}<td>{meaning}"));
    }
    line(out, "</table>");
}

/// What a schema allows, in a few words.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let name = escaped(name);
        return format!("<a href=\"#type-{name}\">{name}</a>");
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        return choices.iter().map(type_of).collect::<Vec<_>>().join(" or ");
    }
    if let Some(value) = schema.get("const") {
        return code(&value.to_string());
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values.iter().map(|value| code(&value.to_string())).collect();
        return values.join(" or ");
    }
    let kind = match schema["type"].as_array() {
        Some(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" or "),
        None => text(&schema["type"]).to_owned(),
    };
    let of =
        schema.get("items").map_or_else(String::new, |items| format!(" of {}", type_of(items)));
    format!("{}{of}", escaped(&kind))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

fn code(text: &str) -> String {
    format!("<code>{}</code>", escaped(text))
}

/// A text in which backquotes mark code.
fn marked(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { code(part) } else { escaped(part) }).collect()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            char => out.push(char),
        }
    }
    out
}

fn line(out: &mut String, text: &str) {
    // Writing to a text cannot fail.
    writeln!(out, "{text}").ok();
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_no_markup() {
        assert_eq!(marked("a <b> `c & \"d\"`"), "a &lt;b&gt; <code>c &amp; &quot;d&quot;</code>");
        let schema = json!({ "anyOf": [{ "$ref": "#/x/A" }, { "type": "array", "items": { "type": "null" } }] });
        assert_eq!(type_of(&schema), "<a href=\"#type-A\">A</a> or array of null");
    }
}
