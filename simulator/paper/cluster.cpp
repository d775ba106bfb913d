#include "simulator/paper/cluster.hpp"

#include <stdexcept>

namespace shed {

namespace {

// A key pair of the form OpenSSL would make; its content is not looked at.
SshKeyPair paper_key() {
    SshKeyPair pair;
    pair.private_pem = "-----BEGIN EC PRIVATE KEY-----\npaper\n-----END EC PRIVATE KEY-----\n";
    pair.public_line = "ecdsa-sha2-nistp521 AAAApaper\n";
    return pair;
}

}  // namespace

PaperCluster::PaperCluster(Options wanted)
    : api_(store_, rng_),
      clock_(*parse_time("2026-11-23T06:00:00Z")),
      client_(local_client(api_, clock_, io_.get_executor(), "kube-controller-manager")),
      subscription_(store_.subscribe([this](const StoreEvent& event) {
          history_.push_back({event.type, event.object, clock_.now()});
      })) {
    for (Json& object : bootstrap_objects())
        if (auto made = install(object); !made) throw std::runtime_error(made.error().message);
    Manager::Options options;
    options.inputs.make_ssh_key = paper_key;
    options.inputs.root_ca_pem = "paper";
    options.inputs.faithful_timing = wanted.faithful_timing;
    manager_ = std::make_unique<Manager>(io_.get_executor(), *client_, clock_, options);
    manager_->start();
    settle();
}

PaperCluster::~PaperCluster() {
    manager_->stop();
    settle();
    manager_.reset();
    settle();
}

void PaperCluster::settle() {
    io_.restart();
    while (io_.poll() > 0) continue;
}

bool PaperCluster::run_until(const std::function<bool()>& done, Duration limit) {
    const Time end = clock_.now() + limit;
    for (;;) {
        settle();
        if (done()) return true;
        const auto next = clock_.next_deadline();
        if (!next || *next > end) return false;
        clock_.advance(*next - clock_.now());
    }
}

void PaperCluster::run_for(Duration time) {
    const Time end = clock_.now() + time;
    run_until([] { return false; }, time);
    if (clock_.now() < end) clock_.advance(end - clock_.now());
    settle();
}

Result<ObjectPtr> PaperCluster::create(Json object) {
    Request request;
    request.verb = Verb::create;
    request.kind =
        find_kind_by_name(string_at(object, "apiVersion"), string_at(object, "kind"));
    request.ns = string_at(object, "metadata.namespace");
    request.name = string_at(object, "metadata.name");
    request.user_agent = "kubectl-create";
    return api_.create(request, std::move(object), clock_.now());
}

// The trainer's snapshots show that kubectl applied the runtimes that come with it.
Result<ObjectPtr> PaperCluster::install(Json object) {
    const Kind& kind = kind_of(string_at(object, "apiVersion"), string_at(object, "kind"));
    if (!kind.custom) return create(std::move(object));
    Request request;
    request.verb = Verb::patch;
    request.kind = &kind;
    request.name = string_at(object, "metadata.name");
    request.content_type = "application/apply-patch+yaml";
    request.query.emplace("fieldManager", "kubectl");
    return api_.patch(request, object, clock_.now());
}

Result<ObjectPtr> PaperCluster::remove(const Key& key, Json options) {
    Request request;
    request.verb = Verb::remove;
    request.kind = key.kind;
    request.ns = key.ns;
    request.name = key.name;
    return api_.remove(request, options, clock_.now());
}

ObjectPtr PaperCluster::find(std::string_view api_version, std::string_view kind,
                             const std::string& ns, const std::string& name) const {
    return store_.find({&kind_of(api_version, kind), ns, name});
}

}  // namespace shed
