#pragma once
// The client of a command, whatever protocol it speaks. For this module only.
#include "fakes/streams/streams.hpp"

#include <span>

namespace shed::streams {

class CommandClient {
public:
    virtual ~CommandClient() = default;
    struct Said {
        enum class Kind { input, end_of_input, resize, gone } kind = Kind::gone;
        std::string input = {};
        TerminalSize size = {};
    };
    // What the client says next. One call at a time; goes on after finish().
    virtual boost::asio::awaitable<Said> read() = 0;
    virtual boost::asio::awaitable<bool> write(RemoteCommand::Output which,
                                               std::string_view bytes) = 0;
    // Tells how it ended, as JSON of a metav1.Status, and that nothing more comes.
    virtual boost::asio::awaitable<void> finish(std::string status) = 0;
    virtual bool peer_closed() const = 0;
    virtual void close() = 0;
};

// What older protocols tell of a status: nothing of success, else its message.
std::string old_status_text(const std::string& status);

// ---- websocket_command.cpp
std::span<const std::string_view> websocket_command_protocols();
std::shared_ptr<CommandClient> websocket_client(std::shared_ptr<WebSocket> socket,
                                                const std::string& protocol);

// ---- spdy_command.cpp
std::span<const std::string_view> spdy_command_protocols();
// Waits until the client has opened the streams it wants; nullptr: it did not.
boost::asio::awaitable<std::shared_ptr<CommandClient>> spdy_client(
    std::shared_ptr<ByteStream> bytes, std::string protocol, CommandStreams wanted);

// ---- command.cpp
// Sends no bytes on the client's first output: by this a WebSocket client learns that it is
// connected, and this machine whether the client is still there.
boost::asio::awaitable<void> say_nothing(CommandClient& client, CommandStreams wanted);
boost::asio::awaitable<void> run_command(std::shared_ptr<CommandClient> client,
                                         std::shared_ptr<RemoteCommand> command,
                                         CommandStreams wanted);

}  // namespace shed::streams
