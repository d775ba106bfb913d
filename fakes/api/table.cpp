// Tables: the framework. Rows come from the printers; cells are made once, here, and printed verbatim by kubectl.
#include "fakes/api/table.hpp"

#include <map>

namespace shed {

namespace {

// The value of a top-level member, cut out of the bytes.
std::string_view member_bytes(std::string_view bytes, std::string_view key) {
    const std::string wanted = "\"" + std::string(key) + "\":";
    int depth = 0;
    std::size_t begin = std::string_view::npos;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        const char c = bytes[at];
        if (depth == 1 && begin == std::string_view::npos &&
            bytes.compare(at, wanted.size(), wanted) == 0) {
            begin = at + wanted.size();
            at = begin - 1;
            continue;
        }
        if (begin != std::string_view::npos && depth == 1 && (c == ',' || c == '}'))
            return bytes.substr(begin, at - begin);
        if (c == '"') {
            for (++at; at < bytes.size() && bytes[at] != '"'; ++at)
                if (bytes[at] == '\\') ++at;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return {};
}

Row plain_row(const Object& object, Time now) { return {{object.name(), age_of(object, now)}}; }

Row created_at_row(const Object& object, Time) {
    return {{object.name(), string_at(object.dom(), "metadata.creationTimestamp")}};
}

Printer make_printer(const Kind& kind) {
    for (const auto find : {pod_printer, workload_printer, core_printer, other_printer})
        if (auto printer = find(kind)) return std::move(*printer);
    if (kind.custom) return {{{"Name", 0, "name"}, {"Age", 0, "", "date"}}, plain_row};
    return {{{"Name", 0, "name"}, {"Created At", 0, "", "date"}}, created_at_row};
}

Json column_definitions(const Printer& printer) {
    Json definitions = Json::array();
    for (const Column& column : printer.columns)
        definitions.push_back({{"name", column.name},
                               {"type", column.type},
                               {"format", column.format},
                               {"description", std::string(column.name) + " of the object"},
                               {"priority", column.priority}});
    return definitions;
}

void append_row_object(std::string& out, const Kind& kind, const ObjectPtr& object,
                       const TableForm& form) {
    switch (form.include) {
        case TableForm::Include::none: out += "null"; break;
        case TableForm::Include::metadata: out += partial_metadata(*object, form.beta); break;
        case TableForm::Include::object: out += presented(kind, object)->bytes(); break;
    }
}

}  // namespace

const Printer& printer_of(const Kind& kind) {
    static std::map<const Kind*, Printer> printers;
    const auto found = printers.find(&kind);
    if (found != printers.end()) return found->second;
    return printers.emplace(&kind, make_printer(kind)).first->second;
}

std::string age_of(const Object& object, Time now) {
    return since_text(at_path(object.dom(), "metadata.creationTimestamp"), now);
}

std::string since_text(const Json& timestamp, Time now) {
    if (!timestamp.is_string()) return "<unknown>";
    const auto time = parse_time(timestamp.get_ref<const std::string&>());
    return time ? human_duration(now - *time) : "<unknown>";
}

std::string or_none(std::string text) { return text.empty() ? "<none>" : text; }

std::string comma_list(const Json& array, std::string_view member_name) {
    std::string text;
    if (!array.is_array()) return text;
    for (const Json& item : array) {
        const Json& value = member_name.empty() ? item : member(item, member_name);
        if (!value.is_string()) continue;
        text += (text.empty() ? "" : ",") + value.get<std::string>();
    }
    return text;
}

std::string label_map_text(const Json& labels) {
    std::string text;
    if (labels.is_object())
        for (const auto& [name, value] : labels.items())
            text += (text.empty() ? "" : ",") + name + "=" +
                    (value.is_string() ? value.get<std::string>() : std::string());
    return or_none(std::move(text));
}

std::string selector_text(const Json& label_selector) {
    std::string text;
    if (const Json& labels = member(label_selector, "matchLabels"); labels.is_object() && !labels.empty())
        text = label_map_text(labels);
    const Json& expressions = member(label_selector, "matchExpressions");
    if (!expressions.is_array()) return or_none(std::move(text));
    for (const Json& e : expressions) {
        const std::string op = string_at(e, "operator");
        std::string term = string_at(e, "key");
        if (op == "DoesNotExist") term = "!" + term;
        else if (op != "Exists")
            term += (op == "In" ? " in (" : " notin (") + comma_list(member(e, "values"), "") + ")";
        text += (text.empty() ? "" : ",") + term;
    }
    return or_none(std::move(text));
}

Result<TableForm> table_form(const Request& request, const Form& form) {
    TableForm result;
    result.beta = form.table_beta;
    if (form.as != Form::As::table) return result;
    const std::string include(request.parameter("includeObject"));
    if (include == "Object") result.include = TableForm::Include::object;
    else if (include == "None") result.include = TableForm::Include::none;
    else if (!include.empty() && include != "Metadata")
        return bad_request("Unable to convert to Table as requested: includeObject: Invalid value: \"" +
                           include + "\": must be 'Metadata', 'Object', 'None', or empty");
    return result;
}

std::string partial_metadata(const Object& object, bool beta) {
    std::string text = "{\"kind\":\"PartialObjectMetadata\",\"apiVersion\":\"meta.k8s.io/";
    text.append(beta ? "v1beta1" : "v1").append("\",\"metadata\":");
    return text.append(member_bytes(object.bytes(), "metadata")).append("}");
}

std::string render_table(const Kind& kind, const std::vector<ObjectPtr>& objects,
                         const std::string& metadata, const TableForm& form, bool with_columns,
                         Time now) {
    const Printer& printer = printer_of(stored_kind(kind));
    std::string out = "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/";
    out.append(form.beta ? "v1beta1" : "v1").append("\",\"metadata\":").append(metadata);
    out.append(",\"columnDefinitions\":");
    out.append(with_columns ? dump_json(column_definitions(printer)) : "null").append(",\"rows\":[");
    bool first = true;
    for (const ObjectPtr& object : objects) {
        // Rows are printed from what is stored; events.k8s.io has no printer of its own.
        const bool converted = is_new_event(object->kind());
        const ObjectPtr stored =
            converted ? Object::make(event_to_core(object->dom())) : object;
        const Row row = printer.row(*stored, now);
        if (!first) out.push_back(',');
        first = false;
        out.append("{\"cells\":").append(dump_json(Json(row.cells)));
        if (!row.conditions.is_null())
            out.append(",\"conditions\":").append(dump_json(row.conditions));
        out.append(",\"object\":");
        append_row_object(out, kind, object, form);
        out.push_back('}');
    }
    return out.append("]}");
}

}  // namespace shed
