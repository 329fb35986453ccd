using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using TeleCmi.Functions;
using TeleCmi.Handlers;
using TeleCmi.Pipeline;
using TeleCmi.Storage.Azure;

var builder = FunctionsApplication.CreateBuilder(args);
builder.Services.AddTeleCmiPipeline();
builder.Services.AddAzureStorage();
builder.Services.AddHandlers();
builder.Services.AddTriggerSettings();
builder.Services.AddSingleton<WarmUp>();
builder.AddTelemetry();

var host = builder.Build();

// Beside the rest of the start, and nobody waits for it: whatever else it runs into, the first event does too, and says so.
_ = Task.Run(() => host.Services.GetRequiredService<WarmUp>().RunAsync());
await host.RunAsync();
