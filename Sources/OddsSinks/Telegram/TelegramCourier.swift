import OddsCore

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The Bot API's `sendMessage`: plain text, so that nothing in an alert is taken for formatting.
struct TelegramCourier: AlertCourier {
    let name = "telegram"
    /// Without a slash at its end.
    let api: String
    let token: Secret
    let chat: String

    /// The API's limit, in UTF-16 units.
    static let textLimit = 4096

    func deliver(_ message: AlertMessage, over http: SinkHTTP) async -> AlertOutcome {
        let answer: SinkHTTP.Answer
        do {
            let body = try self.body(of: message)
            let url = self.token.withText { "\(self.api)/bot\($0)/sendMessage" }
            answer = try await http.post(url, json: body)
        } catch let failure as SinkHTTP.Failure {
            return .failed(reason: failure.reason, mayHaveArrived: failure.mayHaveArrived)
        } catch {
            return .refused(reason: "the message cannot be written as JSON")
        }
        return self.outcome(answer)
    }

    /// What `getMe` and `getChat` say about token and chat; the chat is not asked for with a token that nobody knows.
    func examine(over http: SinkHTTP) async -> [AlertSinkExamination] {
        let token = await self.ask("getMe", "token", over: http) { result in
            "accepted, the bot is \(result.username.map { "@\($0)" } ?? "nameless")"
        }
        guard token.isUsable else { return [token] }
        let query = self.chat.hasPrefix("@") ? "%40\(self.chat.dropFirst())" : self.chat
        let chat = await self.ask("getChat?chat_id=\(query)", "chat", over: http) { result in
            "the bot can see \(result.title ?? result.username.map { "@\($0)" } ?? "chat \(self.chat)")"
        }
        return [token, chat]
    }

    private func ask(
        _ method: String, _ subject: String, over http: SinkHTTP, _ describe: (ExaminationAnswer.Body) -> String
    ) async -> AlertSinkExamination {
        func failed(_ message: String) -> AlertSinkExamination {
            AlertSinkExamination(subject: subject, isUsable: false, message: message)
        }
        let answer: SinkHTTP.Answer
        do {
            answer = try await http.get(self.token.withText { "\(self.api)/bot\($0)/\(method)" })
        } catch {
            return failed("\(error.reason). Check network and --telegram-api")
        }
        let said = try? JSONDecoder().decode(ExaminationAnswer.self, from: Data(answer.body))
        let quote = self.quoted(said?.description)
        switch answer.status {
        case 200..<300:
            guard let said, said.ok, let result = said.result else {
                return failed("the answer is not the Bot API's: check --telegram-api\(quote)")
            }
            return AlertSinkExamination(
                subject: subject, isUsable: true, message: self.token.redacted(describe(result)))
        case 401, 404: return failed("the bot is not known: copy the token again from @BotFather\(quote)")
        case 400:
            return failed("there is no such chat for this bot: check --telegram-chat, and write to it once\(quote)")
        case 403: return failed("the bot may not see the chat: unblock it or add it there\(quote)")
        case 429: return failed("too many requests: try again later\(quote)")
        default: return failed("the Bot API answered with status \(answer.status): try again later\(quote)")
        }
    }

    private func body(of message: AlertMessage) throws -> [UInt8] {
        let request = SendMessage(
            chat_id: self.chat, text: message.plainText(limit: Self.textLimit),
            link_preview_options: SendMessage.Preview(),
            reply_parameters: message.replyTo.flatMap { Int64($0) }.map { SendMessage.Reply(message_id: $0) })
        return Array(try JSONEncoder().encode(request))
    }

    /// What an answer means. 5xx may have been delivered all the same: the API knows no idempotency key.
    func outcome(_ answer: SinkHTTP.Answer) -> AlertOutcome {
        let result = try? JSONDecoder().decode(SendMessageAnswer.self, from: Data(answer.body))
        let said = self.quoted(result?.description)
        switch answer.status {
        case 200..<300:
            // Something between us and the API answers in its place, such as a network's log-in page.
            guard let result, result.ok else {
                return .failed(
                    reason: "the answer is not the Bot API's: check telegram-api\(said)", mayHaveArrived: true)
            }
            return .accepted(messageID: result.result?.message_id.map { "\($0)" })
        case 429:
            let pause = result?.parameters?.retry_after.flatMap { SinkHTTP.Answer.pause(seconds: $0) }
            return .postponed(pause ?? answer.pause)
        case 401, 404: return .refused(reason: "the bot is not known: check the token\(said)")
        case 400:
            if let chat = result?.parameters?.migrate_to_chat_id {
                return .refused(reason: "the group has become a supergroup: set telegram-chat to \(chat)\(said)")
            }
            return .refused(reason: "the message cannot be delivered: check telegram-chat\(said)")
        case 403: return .refused(reason: "the bot may not write there: unblock it or add it to the chat\(said)")
        case 408, 425, 500...:
            return .failed(reason: "the Bot API answered with status \(answer.status)\(said)", mayHaveArrived: true)
        default: return .refused(reason: "the Bot API answered with status \(answer.status)\(said)")
        }
    }

    /// What the server said, short and without the token, should it have quoted that.
    private func quoted(_ description: String?) -> String {
        guard let description, !description.isEmpty else { return "" }
        return " ('\(self.token.redacted(description).prefix(200))')"
    }
}

/// The request; its keys are the API's.
private struct SendMessage: Encodable {
    struct Preview: Encodable {
        var is_disabled = true
    }

    struct Reply: Encodable {
        let message_id: Int64
        /// A thread whose first message somebody deleted goes on without it.
        var allow_sending_without_reply = true
    }

    let chat_id: String
    let text: String
    let link_preview_options: Preview
    let reply_parameters: Reply?
}

/// The answer; its keys are the API's.
private struct SendMessageAnswer: Decodable {
    struct Message: Decodable {
        let message_id: Int64?
    }

    struct Parameters: Decodable {
        let retry_after: Int64?
        let migrate_to_chat_id: Int64?
    }

    let ok: Bool
    let description: String?
    let result: Message?
    let parameters: Parameters?
}

/// The answer to `getMe` and `getChat`; its keys are the API's.
private struct ExaminationAnswer: Decodable {
    struct Body: Decodable {
        let username: String?
        let title: String?
    }

    let ok: Bool
    let description: String?
    let result: Body?
}
