using System.Net.Http.Json;
using TeleCmi.Events;
using TeleCmi.Pipeline.Processing;

namespace YourCompany.Calls;

/// <summary>Tells the CRM that the customer was reached.</summary>
public sealed class TellCrm(HttpClient crm) : ICallEventHandler
{
    public string Name => "tell_crm";

    public async Task HandleAsync(CallEvent callEvent, CancellationToken cancellation)
    {
        var notice = callEvent.Notice;
        if (notice.AnsweredBy is not AnsweredBy.Customer)
        {
            return;
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, "calls")
        {
            Content = JsonContent.Create(new { notice.User, notice.To, notice.ConversationUuid }),
        };

        // It may run again for the same event: with its id the CRM can tell.
        request.Headers.Add("Idempotency-Key", callEvent.Id);
        using var response = await crm.SendAsync(request, cancellation);
        response.EnsureSuccessStatusCode();
    }
}
