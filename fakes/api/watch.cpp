// A watch is a cursor into the store's events. It holds no queue of its own beyond the initial state.
#include "fakes/api/internal.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

using EventType = WatchEvent::Type;

constexpr auto bookmark_interval = std::chrono::seconds(60);
// A client with a deadline gets its last bookmark shortly before it.
constexpr auto bookmark_lead = std::chrono::seconds(2);
constexpr const char* initial_events_end = "k8s.io/initial-events-end";

std::string_view type_text(EventType type) {
    switch (type) {
        case EventType::added: return "ADDED";
        case EventType::modified: return "MODIFIED";
        case EventType::deleted: return "DELETED";
        case EventType::bookmark: return "BOOKMARK";
        case EventType::error: return "ERROR";
    }
    return "";
}

struct WatchOptions {
    Selectors selectors;
    bool bookmarks = false;
    bool initial_state = false;      // begin with what is there
    bool initial_bookmark = false;   // and say when it is complete
    ResourceVersion since = 0;
    std::optional<std::int64_t> timeout_seconds;
};

class StoreWatch final : public Watch {
public:
    StoreWatch(const Store& store, const Kind& kind, std::string ns, WatchOptions options, Form form,
               TableForm table, Time now)
        : store_(store),
          kind_(kind),
          ns_(std::move(ns)),
          options_(std::move(options)),
          form_(form),
          table_(table),
          since_(options_.since),
          next_bookmark_(now + bookmark_interval) {
        if (options_.timeout_seconds) {
            const Time last = now + std::chrono::seconds(*options_.timeout_seconds) - bookmark_lead;
            if (last > now) next_bookmark_ = std::min(next_bookmark_, last);
        }
        if (options_.initial_state) {
            for (ObjectPtr& object : store_.list(kind_, ns_))
                if (options_.selectors.matches(*object)) initial_.push_back(std::move(object));
            since_ = store_.version();
        }
    }

    std::vector<WatchEvent> poll(Time now, std::size_t max) override {
        std::vector<WatchEvent> events;
        while (!finished_ && next_initial_ < initial_.size() && events.size() < max)
            events.push_back({EventType::added, shown(initial_[next_initial_++]), nullptr});
        if (finished_ || events.size() == max) return events;
        initial_.clear();
        next_initial_ = 0;
        if (std::exchange(options_.initial_bookmark, false)) events.push_back(bookmark(since_, true));
        const bool caught_up = poll_store(events, max);
        if (finished_ || !caught_up || !options_.bookmarks || now < next_bookmark_) return events;
        next_bookmark_ = now + bookmark_interval;
        events.push_back(bookmark(std::max(since_, store_.version()), false));
        return events;
    }

    std::vector<std::string> poll_frames(Time now, std::size_t max) override {
        std::vector<std::string> frames;
        for (const WatchEvent& event : poll(now, max)) frames.push_back(frame_of(event, now));
        return frames;
    }

    bool finished() const override { return finished_; }

    std::optional<Time> next_due() const override {
        if (finished_ || !options_.bookmarks) return std::nullopt;
        return next_bookmark_;
    }

private:
    // False when there is more than fits.
    bool poll_store(std::vector<WatchEvent>& events, std::size_t max) {
        while (events.size() < max) {
            const std::size_t wanted = max - events.size();
            const Store::Events newer = store_.events_since(kind_, since_, wanted);
            if (newer.too_old) {
                const Error error{Reason::expired,
                                  "too old resource version: " + std::to_string(since_) + " (" +
                                      std::to_string(store_.oldest_event()) + ")"};
                events.push_back({EventType::error, nullptr, status_of(error)});
                finished_ = true;
                return true;
            }
            for (const StoreEvent& event : newer.events) {
                since_ = event.version();
                translate(event, events);
            }
            if (newer.events.size() < wanted) return true;
        }
        return false;
    }

    // What a change means to a client that sees only the objects its selectors match.
    void translate(const StoreEvent& event, std::vector<WatchEvent>& events) {
        if (!ns_.empty() && event.object->ns() != ns_) return;
        const bool filtered = !options_.selectors.empty();
        const bool was = event.previous && (!filtered || options_.selectors.matches(*event.previous));
        const bool gone = event.type == StoreEvent::Type::deleted;
        const bool is = !gone && (!filtered || options_.selectors.matches(*event.object));
        if (is) {
            events.push_back(
                {was ? EventType::modified : EventType::added, shown(event.object), nullptr});
        } else if (was) {
            events.push_back({EventType::deleted,
                              shown(gone ? event.object : last_match(event)), nullptr});
        }
    }

    // An object that left the selection is shown as it last matched, with the version that took it away.
    static ObjectPtr last_match(const StoreEvent& event) {
        Json dom = event.previous->dom();
        dom["metadata"]["resourceVersion"] = std::to_string(event.version());
        return Object::make(std::move(dom));
    }

    ObjectPtr shown(const ObjectPtr& object) const { return presented(kind_, object); }

    WatchEvent bookmark(ResourceVersion version, bool end_of_initial) const {
        Json object = {{"kind", kind_.kind},
                       {"apiVersion", kind_.api_version()},
                       {"metadata", {{"resourceVersion", std::to_string(version)}}}};
        if (end_of_initial) object["metadata"]["annotations"] = {{initial_events_end, "true"}};
        return {EventType::bookmark, nullptr, std::move(object)};
    }

    std::string frame_of(const WatchEvent& event, Time now) {
        std::string frame = "{\"type\":\"";
        frame.append(type_text(event.type)).append("\",\"object\":");
        if (event.object) frame.reserve(frame.size() + event.object->bytes().size() + 3);
        append_object(frame, event, now);
        return frame.append("}\n");
    }

    void append_object(std::string& frame, const WatchEvent& event, Time now) {
        if (event.type == EventType::error || (!event.object && form_.as == Form::As::object)) {
            frame += dump_json(event.detail);
        } else if (form_.as == Form::As::object) {
            frame += event.object->bytes();
        } else if (form_.as == Form::As::partial) {
            if (event.object) frame += partial_metadata(*event.object, form_.table_beta);
            else frame += dump_json(partial_bookmark(event.detail));
        } else {
            const std::string metadata =
                event.object ? "{\"resourceVersion\":\"" +
                                   std::to_string(event.object->resource_version()) + "\"}"
                             : dump_json(member(event.detail, "metadata"));
            std::vector<ObjectPtr> rows;
            if (event.object) rows.push_back(event.object);
            frame += render_table(kind_, rows, metadata, table_, !columns_sent_, now);
            columns_sent_ = true;
        }
    }

    Json partial_bookmark(Json object) const {
        object["kind"] = "PartialObjectMetadata";
        object["apiVersion"] = form_.table_beta ? "meta.k8s.io/v1beta1" : "meta.k8s.io/v1";
        return object;
    }

    const Store& store_;
    const Kind& kind_;
    std::string ns_;
    WatchOptions options_;
    Form form_;
    TableForm table_;
    ResourceVersion since_;
    Time next_bookmark_;
    std::vector<ObjectPtr> initial_;
    std::size_t next_initial_ = 0;
    bool columns_sent_ = false;
    bool finished_ = false;
};

Error forbidden_option(std::string field, std::string text) {
    return options_invalid("ListOptions",
                           {"FieldValueForbidden", std::move(field), "Forbidden: " + std::move(text)});
}

Result<void> check_initial_events(const Request& request) {
    const bool given = !request.parameter("sendInitialEvents").empty();
    const std::string match(request.parameter("resourceVersionMatch"));
    if (!given) {
        if (match.empty()) return {};
        return forbidden_option(
            "resourceVersionMatch",
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    }
    if (match.empty())
        return forbidden_option("resourceVersionMatch",
                                "sendInitialEvents requires setting resourceVersionMatch to "
                                "NotOlderThan");
    if (match == "NotOlderThan") return {};
    return options_invalid("ListOptions", {"FieldValueNotSupported", "resourceVersionMatch",
                                           "Unsupported value: \"" + match +
                                               "\": supported values: \"NotOlderThan\""});
}

Result<WatchOptions> watch_options(const Request& request, ResourceVersion current) {
    WatchOptions options;
    auto selectors = selectors_of(request);
    if (!selectors) return selectors.error();
    options.selectors = std::move(*selectors);
    if (auto checked = check_initial_events(request); !checked) return checked.error();
    const auto timeout = integer_parameter(request, "timeoutSeconds");
    if (!timeout) return timeout.error();
    // Longer than any watch lasts; more would overflow a clock.
    constexpr std::int64_t year_s = 366 * 24 * 3600;
    options.timeout_seconds = *timeout;
    if (options.timeout_seconds) options.timeout_seconds = std::clamp<std::int64_t>(*options.timeout_seconds, 0, year_s);
    options.bookmarks = request.flag("allowWatchBookmarks");
    const std::string version(request.parameter("resourceVersion"));
    const auto [end, error] =
        std::from_chars(version.data(), version.data() + version.size(), options.since);
    if (!version.empty() && (error != std::errc() || end != version.data() + version.size()))
        return plain_internal("resourceVersion: Invalid value: \"" + version +
                              "\": strconv.ParseUint: parsing \"" + version + "\": invalid syntax");
    const bool from_now = options.since == 0;
    const std::string initial(request.parameter("sendInitialEvents"));
    options.initial_state = initial.empty() ? from_now : request.flag("sendInitialEvents");
    options.initial_bookmark =
        !initial.empty() && options.initial_state && options.bookmarks;
    if (!options.initial_state && from_now) options.since = current;
    return options;
}

}  // namespace

Result<std::unique_ptr<Watch>> Api::watch(const Request& request, Time now) {
    SHED_CHECK(request.kind != nullptr);
    const auto form = negotiate(request.accept);
    if (!form) return form.error();
    const auto table = table_form(request, *form);
    if (!table) return table.error();
    auto options = watch_options(request, store_.version());
    if (!options) return options.error();
    return std::unique_ptr<Watch>(std::make_unique<StoreWatch>(
        store_, *request.kind, request.ns, std::move(*options), *form, *table, now));
}

}  // namespace shed
