#include "tests/flow/paper_cluster.hpp"

#include <filesystem>
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

NodeCapacity PaperCluster::big_node() {
    NodeCapacity capacity;
    capacity.cpu = "512";
    capacity.memory = "2Ti";
    capacity.gpus = 256;
    return capacity;
}

PaperCluster::PaperCluster(Behaviour behaviour, NodeCapacity capacity)
    : api_(store_, rng_),
      clock_(*parse_time("2026-11-23T06:00:00Z")),
      client_(local_client(api_, clock_, io_.get_executor(), "kube-controller-manager")),
      kubelet_client_(local_client(api_, clock_, io_.get_executor(), "kubelet")),
      runtime_(clock_, io_.get_executor()),
      tasks_(io_.get_executor()),
      subscription_(store_.subscribe([this](const StoreEvent& event) {
          history_.push_back({event.type, event.object});
      })) {
    char name[] = "/tmp/shed-flow-XXXXXX";
    directory_ = ::mkdtemp(name);
    runtime_.behave([this, behaviour](const ContainerRequest& request) {
        const ObjectPtr pod = store_.find_by_uid(request.pod_uid);
        return pod ? behaviour(*pod, request.attempt) : PaperRuntime::Behaviour();
    });
    runtime_.answer_probes([](const std::string&, int) { return Result<int>(0); });
    for (Json& object : bootstrap_objects())
        if (auto made = create(object); !made) throw std::runtime_error(made.error().message);
    Manager::Options options;
    options.inputs.make_ssh_key = paper_key;
    options.inputs.root_ca_pem = "paper";
    manager_ = std::make_unique<Manager>(io_.get_executor(), *client_, clock_, options);
    manager_->start();
    KubeletHost::Deps deps{*kubelet_client_,
                           runtime_,
                           clock_,
                           [](const std::string&) { return Result<Environment>(Environment{}); },
                           io_.get_executor(),
                           directory_,
                           [](const TokenRequest&) { return std::string("token"); }};
    host_ = std::make_unique<KubeletHost>(std::move(deps));
    KubeletConfig config;
    config.node = "node-a";
    config.capacity = capacity;
    kubelet_ = std::make_unique<Kubelet>(*host_, config);
    tasks_.spawn("host", host_->run());
    tasks_.spawn("kubelet", kubelet_->run());
    settle();
}

PaperCluster::~PaperCluster() {
    manager_->stop();
    tasks_.cancel();
    settle();
    kubelet_.reset();
    host_.reset();
    manager_.reset();
    settle();
    std::filesystem::remove_all(directory_);
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
    request.user_agent = "test";
    return api_.create(request, std::move(object), clock_.now());
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
