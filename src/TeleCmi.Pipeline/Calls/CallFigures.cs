namespace TeleCmi.Pipeline.Calls;

/// <summary>What some calls come to.</summary>
/// <param name="Calls">How many there are.</param>
/// <param name="Reached">How many brought agent and customer together.</param>
/// <param name="ConnectRate">The share of those, from 0 to 1.</param>
/// <param name="TalkSeconds">How long they talked, as far as detail records say.</param>
/// <param name="ToCallBack">How many customers wait for a call.</param>
public sealed record CallFigures(int Calls, int Reached, double ConnectRate, long TalkSeconds, int ToCallBack)
{
    /// <summary>Counts calls.</summary>
    /// <param name="calls">The calls, newest first.</param>
    public static CallFigures Of(IReadOnlyCollection<CallRecord> calls)
    {
        var reached = calls.Count(call => call.IsContact);
        return new CallFigures(
            calls.Count,
            reached,
            calls.Count == 0 ? 0 : Math.Round((double)reached / calls.Count, 3),
            calls.Sum(call => call.TalkSeconds ?? 0),
            CustomerToCallBack.Of(calls).Count);
    }
}
