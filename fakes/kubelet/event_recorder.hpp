#pragma once
// Writes core/v1 Events as kubelet does, one after another beside the status writes: equal ones are
// counted, not repeated.
#include "fakes/client/client.hpp"
#include "fakes/net/tasks.hpp"

#include <deque>
#include <map>
#include <set>

namespace shed::kubelet {

struct EventAbout {
    std::string api_version = "v1", kind, ns, name, uid, resource_version = {}, field_path = {};
};

class EventRecorder {
public:
    EventRecorder(Client& client, Clock& clock, Tasks& tasks, std::string node)
        : client_(client), clock_(clock), tasks_(tasks), node_(std::move(node)) {}
    void record(const EventAbout& about, const std::string& type, const std::string& reason,
                const std::string& message);
    void forget(const std::string& uid);  // of an object that is gone

private:
    struct Entry {
        EventAbout about;
        std::string type, reason, message, name;
        Time first{}, last{};
        int count = 0;
        int written = 0;  // the count the cluster knows
    };
    boost::asio::awaitable<void> write_all();
    boost::asio::awaitable<void> write(std::shared_ptr<Entry> entry);
    Json event_json(const Entry& entry) const;

    Client& client_;
    Clock& clock_;
    Tasks& tasks_;
    std::string node_;
    std::map<std::string, std::shared_ptr<Entry>> known_;
    std::deque<std::shared_ptr<Entry>> queue_;
    bool writing_ = false;
    std::uint64_t serial_ = 0;
};

}  // namespace shed::kubelet
