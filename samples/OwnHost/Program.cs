// A host of your own: TeleCMI's webhook as one address of an ASP.NET Core app, events in a file, your work in a handler.
using OwnHost;
using TeleCmi.Pipeline;
using TeleCmi.Pipeline.Receiving;
using TeleCmi.Storage.Sqlite;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddTeleCmiPipeline();
builder.Services.AddCallEventHandler<TellWhoAnswered>();
builder.Services.TryAddSqliteStorage(builder.Configuration, folder: Path.Combine(builder.Environment.ContentRootPath, "data"));
builder.Services.AddHostedService<QueueWorker>();
var app = builder.Build();

// TeleCMI sends POST or GET. The secret is one of the setting TeleCmi__AccessTokens.
app.Map("/calls/{secret}", async (HttpContext context, string secret, AccessTokens secrets, EventReceiver receiver) =>
{
    var request = context.Request;
    var response = secrets.IsValid(secret)
        ? await receiver.ReceiveAsync(new WebhookRequest(
            HttpMethods.IsPost(request.Method), request.QueryString.Value ?? "", request.Body, request.ContentType, request.ContentLength,
            request.Headers.TransferEncoding.Count > 0))
        : WebhookCase.NotFound.Respond();
    context.Response.StatusCode = response.Status;
    context.Response.ContentType = response.ContentType;
    context.Response.Headers.RetryAfter = response.RetryAfterSeconds;
    await context.Response.Body.WriteAsync(response.Body, context.RequestAborted);
});
app.Run();
