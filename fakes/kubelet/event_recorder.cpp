#include "fakes/kubelet/event_recorder.hpp"

#include "fakes/base/log.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace shed::kubelet {

namespace asio = boost::asio;

void EventRecorder::record(const EventAbout& about, const std::string& type,
                           const std::string& reason, const std::string& message) {
    const std::string key =
        about.uid + '\0' + about.field_path + '\0' + type + '\0' + reason + '\0' + message;
    std::shared_ptr<Entry>& entry = known_[key];
    const Time now = clock_.now();
    if (entry == nullptr) {
        char suffix[32];
        const auto stamp = static_cast<unsigned long long>(now.time_since_epoch().count()) * 1000 +
                           serial_++ % 1000;
        std::snprintf(suffix, sizeof suffix, ".%llx", stamp);
        entry = std::make_shared<Entry>();
        entry->about = about;
        entry->type = type;
        entry->reason = reason;
        entry->message = message;
        entry->name = about.name + suffix;
        entry->first = now;
    }
    ++entry->count;
    entry->last = now;
    if (std::find(queue_.begin(), queue_.end(), entry) == queue_.end()) queue_.push_back(entry);
    if (writing_) return;
    writing_ = true;
    tasks_.spawn("kubelet events", write_all());
}

void EventRecorder::forget(const std::string& uid) {
    std::erase_if(known_, [&](const auto& known) { return known.second->about.uid == uid; });
}

asio::awaitable<void> EventRecorder::write_all() {
    while (!queue_.empty()) {
        const std::shared_ptr<Entry> entry = queue_.front();
        queue_.pop_front();
        co_await write(entry);
    }
    writing_ = false;
}

// An event that cannot be written is lost, as in Kubernetes: nobody may wait for it.
asio::awaitable<void> EventRecorder::write(std::shared_ptr<Entry> entry) {
    const int count = entry->count;
    WriteOptions options;
    Result<ObjectPtr> done = Error{};
    if (entry->written == 0) {
        Json event = event_json(*entry);
        done = co_await client_.create(std::move(event), std::move(options));
    } else {
        const Key key{&kind_of("v1", "Event"),
                      entry->about.ns.empty() ? "default" : entry->about.ns, entry->name};
        Json patch = {{"count", count}, {"lastTimestamp", format_time(entry->last)}};
        done = co_await client_.patch(key, PatchType::merge, std::move(patch), std::move(options));
    }
    if (done) entry->written = count;
    else
        log(LogLevel::debug, "kubelet.event_lost",
            {{"reason", entry->reason}, {"error", done.error().message}});
}

Json EventRecorder::event_json(const Entry& entry) const {
    Json about = {{"kind", entry.about.kind},
                  {"name", entry.about.name},
                  {"uid", entry.about.uid},
                  {"apiVersion", entry.about.api_version}};
    if (!entry.about.ns.empty()) about["namespace"] = entry.about.ns;
    if (!entry.about.resource_version.empty())
        about["resourceVersion"] = entry.about.resource_version;
    if (!entry.about.field_path.empty()) about["fieldPath"] = entry.about.field_path;
    Json event = {{"apiVersion", "v1"},
                  {"kind", "Event"},
                  {"involvedObject", std::move(about)},
                  {"type", entry.type},
                  {"reason", entry.reason},
                  {"message", entry.message},
                  {"firstTimestamp", format_time(entry.first)},
                  {"lastTimestamp", format_time(entry.last)},
                  {"count", entry.count},
                  {"eventTime", nullptr},
                  {"reportingComponent", "kubelet"},
                  {"reportingInstance", node_}};
    event["metadata"] = {{"name", entry.name},
                         {"namespace", entry.about.ns.empty() ? "default" : entry.about.ns}};
    event["source"] = {{"component", "kubelet"}, {"host", node_}};
    return event;
}

}  // namespace shed::kubelet
