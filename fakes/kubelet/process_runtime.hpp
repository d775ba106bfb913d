#pragma once
// The insides of ProcessRuntime, for its own files only.
#include "fakes/kubelet/holder.hpp"
#include "fakes/kubelet/pod_groups.hpp"

#include <map>

namespace shed {

struct ProcessRuntime::Impl {
    Impl(boost::asio::any_io_executor given, HolderOptions wanted)
        : executor(given), options(std::move(wanted)), groups(options.groups), tasks(std::move(given)) {}
    ~Impl();

    boost::asio::any_io_executor executor;
    HolderOptions options;
    kubelet::PodGroups groups;
    kubelet::HolderProcess process;
    std::unique_ptr<kubelet::HolderChannel> channel;
    std::string map = {};  // "root", "range", "single"
    long base = 0;
    ExitHandler exited = {};
    std::function<void(const std::string&)> sandbox_lost = {};
    std::function<void()> lost = {};
    struct Running {
        std::string exit_path;
    };
    std::map<std::string, Running> running = {};  // "UID NAME ATTEMPT"
    struct Exec {
        explicit Exec(const boost::asio::any_io_executor& on);
        boost::asio::steady_timer woken;
        std::optional<int> code;
        bool lost = false;  // the holder is gone
    };
    std::map<std::string, std::shared_ptr<Exec>> execs = {};  // "UID ID"
    std::uint64_t serial = 0;
    Tasks tasks;

    boost::asio::awaitable<Result<void>> start();
    boost::asio::awaitable<Result<std::string>> ready_line();
    Result<void> make_directories() const;
    Result<void> give_directories() const;
    boost::asio::awaitable<void> read_channel();
    boost::asio::awaitable<Result<kubelet::HolderReply>> with_spec(std::string head, Spec spec,
                                                                   std::vector<int> descriptors);
    boost::asio::awaitable<Result<int>> descriptor_of(std::string line);
    boost::asio::awaitable<Result<PodSocket>> dial(std::string pod_uid, int port, bool ipv6);
    boost::asio::awaitable<Result<int>> exec(ExecRequest request, std::vector<int> descriptors,
                                             Duration timeout);
    Result<std::string> write_spec(const Spec& spec);
    Result<void> write_file(const std::string& path, const std::string& content) const;
    void handle_event(const std::string& words);
    void container_exited(const std::vector<std::string>& words);
};

}  // namespace shed
