using TeleCmi.Pipeline.Calls;

namespace TeleCmi.Cli.Output;

/// <summary>Somebody to call back.</summary>
internal sealed record CallbackDocument(string? CustomerNumber, string Outcome, string? LastAt, string? Agent, int Attempts, string CallId)
{
    public static CallbackDocument Of(CustomerToCallBack customer) => new(
        customer.Number, customer.Attempts[0].Outcome.Name(), Times.Of(customer.Attempts[0].StartedAt), customer.Attempts[0].Agent, customer.Attempts.Count, customer.Attempts[0].Id);
}

/// <summary>An agent's calls.</summary>
internal sealed record AgentDocument(string Agent, int Calls, int Reached, double ConnectRate, long TalkSeconds);
