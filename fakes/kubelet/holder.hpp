#pragma once
// The connection to podinit's holder: its process, its socket, commands and their replies.
#include "fakes/kubelet/kubelet.hpp"
#include "fakes/net/tasks.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>

namespace shed::kubelet {

struct HolderReply {
    std::string words;             // after `ok`
    std::vector<int> descriptors;  // the receiver owns them
};

// One SOCK_SEQPACKET connection. Replies come in the order of commands; unasked packets go to the
// event handler.
class HolderChannel {
public:
    HolderChannel(boost::asio::any_io_executor executor, int socket);
    ~HolderChannel();

    boost::asio::awaitable<Result<HolderReply>> command(
        std::string line, std::vector<int> descriptors = std::vector<int>());
    // Reads until the holder closes the connection; then every waiting command fails.
    boost::asio::awaitable<void> read_all();
    void on_event(std::function<void(const std::string&)> handler) { event_ = std::move(handler); }
    bool closed() const { return closed_; }

private:
    struct Waiter {
        explicit Waiter(const boost::asio::any_io_executor& executor);
        ~Waiter();  // closes what nobody came for
        boost::asio::steady_timer woken;
        std::optional<Result<HolderReply>> reply;
    };
    struct Packet {
        std::string text;
        std::vector<int> descriptors;
        bool end = false;
        bool again = false;
    };
    Packet receive();
    void answer(Result<HolderReply> reply);
    void close_all();

    boost::asio::posix::stream_descriptor socket_;
    std::deque<std::shared_ptr<Waiter>> waiters_;
    std::function<void(const std::string&)> event_;
    bool closed_ = false;
};

struct HolderProcess {
    int pid = -1;
    int lifeline = -1;  // closing it ends the holder and everything in it
    int ready = -1;     // the holder writes one line
};
Result<HolderProcess> spawn_holder(const HolderOptions& options);
std::string default_podinit();
Result<int> connect_holder(const std::string& socket_path);

}  // namespace shed::kubelet
